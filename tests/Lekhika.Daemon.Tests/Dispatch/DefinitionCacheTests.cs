using System.Text.Json;
using Lekhika.Daemon.Dispatch;
using Lekhika.Daemon.Hosting;
using Lekhika.Daemon.Nodes;
using Lekhika.Daemon.Tests.Configuration;
using Lekhika.Inference;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Queue;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace Lekhika.Daemon.Tests.Dispatch;

/// <summary>Definitions that the database does not give at once.</summary>
public sealed class DefinitionCacheTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static NpgsqlException ConnectionLost => new("Exception while reading from stream", new EndOfStreamException());

    private static ClaimedExecution Claim => new()
    {
        Fence = new Fence(1, 1, 1),
        List = default,
        Place = 0,
        Rescues = 0,
        Id = Guid.NewGuid(),
        Status = "pending",
        DefinitionHash = Guid.NewGuid(),
        CreatedAt = TimeProvider.System.GetUtcNow(),
    };

    [Fact]
    public async Task A_connection_that_is_lost_while_a_definition_is_read_fails_no_execution()
    {
        await using var models = Models(out var compiler);
        using var document = JsonDocument.Parse(EndToEnd.Support.Flows.Trivial);
        var definition = document.RootElement.Clone();
        var asked = 0;
        var cache = new DefinitionCache(compiler, (_, _) => ++asked == 1 ? throw ConnectionLost : Task.FromResult<JsonElement?>(definition));
        Assert.NotNull((await cache.GetAsync(Claim, Cancellation)).Workflow);
        Assert.Equal(2, asked);
    }

    [Fact]
    public async Task A_read_that_fails_while_it_is_given_up_says_that_it_was_given_up()
    {
        await using var models = Models(out var compiler);
        using var abort = new CancellationTokenSource();
        var cache = new DefinitionCache(compiler, (_, _) =>
        {
            abort.Cancel();
            throw ConnectionLost;
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await cache.GetAsync(Claim, abort.Token));
    }

    private static ModelPool Models(out IWorkflowCompiler compiler)
    {
        var options = Read.Options($"{Read.Minimal}[ollama]\nurl = http://127.0.0.1:9\n");
        var models = new ModelPool(ModelSettings.PoolOptions(options), TimeProvider.System, new Random(1));
        compiler = WorkflowSettings.Compiler(options, models, new ModelSettings(new DaemonState { Slots = 1 }, options.Models), NullLogger.Instance, TimeProvider.System);
        return models;
    }
}

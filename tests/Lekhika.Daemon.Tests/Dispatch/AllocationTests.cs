using System.Text.Json;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Dispatch;
using Lekhika.Daemon.Hosting;
using Lekhika.Daemon.Live;
using Lekhika.Daemon.Tests.Configuration;
using Lekhika.Inference;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Queue;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Execution;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Lekhika.Daemon.Tests.Dispatch;

/// <summary>What an execution costs in memory on its way from claim to end: a guard, not a measurement.</summary>
public sealed class AllocationTests
{
    private const int Executions = 200;

    // Measured 2026: about half of it. Raise it only with a reason.
    private const long MostBytes = 16_000;

    [Fact]
    public async Task An_execution_of_one_node_allocates_no_more_than_a_few_kilobytes()
    {
        var options = Read.Options($"{Read.Minimal}[ollama]\nurl = http://127.0.0.1:9\n");
        var state = new DaemonState { Slots = 1 };
        await using var models = new ModelPool(Lekhika.Daemon.Hosting.ModelSettings.PoolOptions(options), TimeProvider.System, new Random(1));
        var compiler = WorkflowSettings.Compiler(
            options, models, new Lekhika.Daemon.Hosting.ModelSettings(state, options.Models), NullLogger.Instance, TimeProvider.System);
        var (definitions, hash) = (new DefinitionCache(compiler, static (_, _) => Task.FromResult<JsonElement?>(null)), Guid.NewGuid());
        using var document = JsonDocument.Parse(EndToEnd.Support.Flows.Trivial);
        definitions.Add(hash, document.RootElement.Clone());
        var now = TimeProvider.System.GetUtcNow();

        var (slots, lives) = (new ExecutionSlots(1), new LiveExecutions());

        // Other tests allocate meanwhile, so the least of many rounds is what counts.
        var least = long.MaxValue;
        for (var round = 0; round < 30; round++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            for (var i = 0; i < Executions; i++) await RunAsync(i);
            least = Math.Min(least, (GC.GetTotalAllocatedBytes(precise: true) - before) / Executions);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{least} bytes for each execution");
        Assert.True(least <= MostBytes, $"{least} bytes for each execution");

        async Task RunAsync(int exec)
        {
            var journal = new MemoryJournal();
            var claim = new ClaimedExecution
            {
                Fence = new Fence(exec, 1, 1),
                List = default,
                Place = 0,
                Rescues = 0,
                Id = Guid.NewGuid(),
                Status = "pending",
                DefinitionHash = hash,
                Inputs = "{}",
                CreatedAt = now,
            };
            var live = new LiveExecution(
                new LiveHeader { Id = claim.Id, Exec = exec, Epoch = 1, Run = 1, WorkerId = "test", CreatedAt = now }, "pending", startedAt: null);
            var owners = new OwnerOptions { Retry = new RetryPolicy { MaxAttempts = 1 }, NodeTimeout = TimeSpan.FromMinutes(1) };
            var services = new OwnerServices
            {
                Journal = journal,
                Store = journal,
                Definitions = definitions,
                Slots = slots,
                Live = lives,
                State = state,
                Options = () => owners,
                Now = () => now,
                Time = TimeProvider.System,
                Random = Random.Shared,
                Logger = NullLogger.Instance,
                AbortWorking = TestContext.Current.CancellationToken,
            };
            await new ExecutionOwner(services, claim, live, hasSlot: true).RunAsync();
            Assert.Equal("completed", journal.Last?.Status);
        }
    }
}

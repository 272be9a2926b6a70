using System.Text.Json;
using Lekhika.Daemon.Cli;
using Lekhika.Daemon.Dispatch;
using Lekhika.Daemon.Live;
using Lekhika.Daemon.Nodes;
using Lekhika.Inference;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Queue;
using Lekhika.Workflows.Definitions;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lekhika.Daemon.Hosting;

/// <summary><c>lekhika-daemon try FILE</c>: runs a workflow in memory, with the same owner, state machine and nodes as the daemon, and no database.</summary>
internal static class TryHandler
{
    public static async Task<int> RunAsync(CommandContext context, LoadedConfiguration configuration, TryArguments arguments, CancellationToken cancellationToken)
    {
        var options = configuration.Options;
        if (await WorkflowFile.ReadAsync(context, arguments.File, cancellationToken) is not { } document) return ExitCodes.Failure;

        var state = new DaemonState { Slots = 1 };
        await using var models = new ModelPool(ModelSettings.PoolOptions(options), TimeProvider.System, Random.Shared);
        state.Endpoints = await models.CheckAsync(cancellationToken);
        var compiler = WorkflowSettings.Compiler(options, models, new ModelSettings(state, options.Models), NullLogger.Instance, TimeProvider.System);
        var compiled = compiler.Compile(document);
        foreach (var problem in compiled.Problems) ProblemReport.Write(context, WorkflowFile.Name(arguments.File), problem);
        if (compiled.Workflow is null) return ExitCodes.Failure;
        WarnOfSilence(context, state, compiled.Workflow);

        var definitions = new DefinitionCache(compiler, (_, _) => Task.FromResult<JsonElement?>(document));
        var now = TimeProvider.System.GetUtcNow();
        var claim = new ClaimedExecution
        {
            Fence = new Fence(1, 1, 1),
            List = default,
            Place = 0,
            Rescues = 0,
            Id = Guid.CreateVersion7(),
            Status = "pending",
            DefinitionHash = Guid.NewGuid(),
            Inputs = Inputs(arguments).GetRawText(),
            CreatedAt = now,
        };
        var journal = new MemoryJournal();
        var printer = new ProgressPrinter(context, TimeProvider.System);
        while (true)
        {
            var live = new LiveExecution(
                new LiveHeader { Id = claim.Id, Exec = 1, Epoch = claim.Fence.Epoch, Run = 1, WorkerId = "try", CreatedAt = now }, claim.Status, claim.StartedAt);
            var subscription = live.Subscribe(lastEventId: "1.0");
            var owner = new ExecutionOwner(Services(options, journal, definitions, state, cancellationToken), claim, live, hasSlot: true);
            var running = owner.RunAsync();
            await printer.FollowAsync(live, subscription, CancellationToken.None);
            await running;
            cancellationToken.ThrowIfCancellationRequested();
            if (journal.Last is { Kind: JournalKind.Park, DueAt: { } due, Awaits.Count: 0 } parked)
            {
                // A daemon gives an execution up until its time has come; here it is sat out.
                var wait = due - TimeProvider.System.GetUtcNow();
                if (wait > TimeSpan.Zero)
                {
                    printer.Waits(due);
                    await Task.Delay(wait, TimeProvider.System, cancellationToken);
                }

                claim = claim with { Fence = claim.Fence with { Epoch = claim.Fence.Epoch + 1 }, Status = "waiting", StartedAt = parked.StartedAt ?? claim.StartedAt };
                continue;
            }

            var end = live.Snapshot();
            printer.Summarise(end);
            return await ReportAsync(context, end, journal);
        }
    }

    /// <summary>Says at once what would else come out after all attempts to reach a model have failed.</summary>
    private static void WarnOfSilence(CommandContext context, DaemonState state, CompiledWorkflow workflow)
    {
        if (!workflow.Plan.Nodes.Any(node => workflow.ProgramOf(node).Type.Category == "ai")) return;
        foreach (var endpoint in state.Endpoints.Where(static endpoint => !endpoint.Reachable))
            ProblemReport.Warning(context, endpoint.Problem ?? $"the model endpoint {endpoint.Address} does not answer");
    }

    internal static OwnerServices Services(
        Configuration.DaemonOptions options, MemoryJournal journal, DefinitionCache definitions, DaemonState state, CancellationToken cancellationToken)
    {
        var owners = DispatchSettings.Owners(options);
        return new OwnerServices
        {
            Journal = journal,
            Store = journal,
            Definitions = definitions,
            Slots = new ExecutionSlots(1),
            Live = new LiveExecutions(),
            State = state,
            Options = () => owners,
            Now = TimeProvider.System.GetUtcNow,
            Time = TimeProvider.System,
            Random = Random.Shared,
            Logger = NullLogger.Instance,
            AbortWorking = cancellationToken,
        };
    }

    private static async Task<int> ReportAsync(CommandContext context, LiveSnapshot end, MemoryJournal journal)
    {
        if (end.Status == "completed" && end.Result is { } result)
        {
            await context.Output.WriteLineAsync(Indented(result));
            return ExitCodes.Success;
        }

        if (journal.Last is { Kind: JournalKind.Park } parked)
        {
            ProblemReport.Error(context, $"the workflow waits for somebody ({parked.WaitingFor?.GetRawText()}); that needs a database: submit it to a daemon");
            return ExitCodes.Failure;
        }

        ProblemReport.Error(context, end.Error ?? $"the workflow ended as {end.Status}");
        return ExitCodes.Failure;
    }

    /// <summary>A value that is JSON is taken as JSON, anything else as text.</summary>
    private static JsonElement Inputs(TryArguments arguments) => JsonConstants.Object(writer =>
    {
        foreach (var input in arguments.Inputs.GroupBy(static input => input.Key, StringComparer.Ordinal))
        {
            writer.WritePropertyName(input.Key);
            var value = input.Last().Value;
            try
            {
                using var document = JsonDocument.Parse(value);
                document.RootElement.WriteTo(writer);
            }
            catch (JsonException)
            {
                writer.WriteStringValue(value);
            }
        }
    });

    internal static string Indented(JsonElement element)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions
        {
            Indented = true,
            Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        }))
        {
            element.WriteTo(writer);
        }

        return System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}

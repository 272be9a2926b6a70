using System.Text.Json;
using Lekhika.Daemon.Cli;
using Lekhika.Daemon.Dispatch;
using Lekhika.Daemon.Generation;
using Lekhika.Daemon.Live;
using Lekhika.Daemon.Nodes;
using Lekhika.Inference;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Queue;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lekhika.Daemon.Hosting;

/// <summary><c>lekhika-daemon generate PROMPT</c>: the built-in workflow of generation jobs, run in memory.</summary>
internal static class GenerateHandler
{
    public static async Task<int> RunAsync(CommandContext context, LoadedConfiguration configuration, GenerateArguments arguments, CancellationToken cancellationToken)
    {
        var options = configuration.Options;
        var prompt = arguments.Prompt == "-" ? await context.Input.ReadToEndAsync(cancellationToken) : arguments.Prompt;
        JsonElement? current = null;
        if (arguments.Edit is { } edit)
        {
            current = await WorkflowFile.ReadAsync(context, edit, cancellationToken);
            if (current is null) return ExitCodes.Failure;
        }

        var state = new DaemonState { Slots = 1 };
        await using var models = new ModelPool(ModelSettings.PoolOptions(options), TimeProvider.System, Random.Shared);
        state.Endpoints = await models.CheckAsync(cancellationToken);
        foreach (var endpoint in state.Endpoints.Where(static endpoint => !endpoint.Reachable))
            ProblemReport.Warning(context, endpoint.Problem ?? $"the model endpoint {endpoint.Address} does not answer");
        var names = new ModelSettings(state, options.Models);
        var compiler = WorkflowSettings.Compiler(options, models, names, NullLogger.Instance, TimeProvider.System, children: null);
        var runners = WorkflowSettings.Runners(options, models, names, NullLogger.Instance, TimeProvider.System, children: null);
        var services = GenerationSetup.Services(
            options, compiler, type => runners.Find(type) is not null, models, names, new NoJobFace(), TimeProvider.System);
        if (services.CatalogueProblem is { } problem)
        {
            ProblemReport.Error(context, $"generation.catalogue cannot be used: {problem}");
            return ExitCodes.Configuration;
        }

        // Whoever calls the command wants it, whatever the daemon beside it is configured to take.
        services = services with { Options = services.Options with { Enabled = true } };
        var end = await RunAsync(context, options, compiler, services, state, Inputs(prompt, current), cancellationToken);
        if (end.Status != "completed" || end.Result?.Get("workflow") is not { } workflow)
        {
            ProblemReport.Error(context, end.Error ?? $"the generation ended as {end.Status}");
            foreach (var detail in Problems(end)) context.Error.WriteLine("  " + detail);
            return ExitCodes.Failure;
        }

        return await WriteAsync(context, TryHandler.Indented(workflow), arguments.Out, cancellationToken);
    }

    private static async Task<LiveSnapshot> RunAsync(
        CommandContext context, Configuration.DaemonOptions options, WorkflowCompiler compiler, GenerationServices services, DaemonState state, JsonElement inputs,
        CancellationToken cancellationToken)
    {
        var workflow = GenerationWorkflow.Compile(services);
        var definitions = new DefinitionCache(compiler, static (_, _) => Task.FromResult<JsonElement?>(null))
        {
            BuiltIn = document => GenerationWorkflow.IsMeant(document) ? workflow : null,
        };
        var now = TimeProvider.System.GetUtcNow();
        var claim = new ClaimedExecution
        {
            Fence = new Fence(1, 1, 1),
            List = default,
            Place = 0,
            Rescues = 0,
            Id = Guid.CreateVersion7(),
            Status = "pending",
            Definition = GenerationWorkflow.Definition,
            Inputs = inputs.GetRawText(),
            CreatedAt = now,
        };
        var live = new LiveExecution(
            new LiveHeader { Id = claim.Id, Exec = 1, Epoch = 1, Run = 1, WorkerId = "generate", CreatedAt = now }, "pending", startedAt: null);
        var subscription = live.Subscribe(lastEventId: "1.0");
        var owner = new ExecutionOwner(TryHandler.Services(options, new MemoryJournal(), definitions, state, cancellationToken), claim, live, hasSlot: true);
        var running = owner.RunAsync();
        var printer = new ProgressPrinter(context, TimeProvider.System);
        await printer.FollowAsync(live, subscription, CancellationToken.None);
        await running;
        cancellationToken.ThrowIfCancellationRequested();
        var end = live.Snapshot();
        printer.Summarise(end);
        return end;
    }

    private static async Task<int> WriteAsync(CommandContext context, string text, string? file, CancellationToken cancellationToken)
    {
        if (file is null)
        {
            await context.Output.WriteLineAsync(text);
            return ExitCodes.Success;
        }

        try
        {
            await File.WriteAllTextAsync(file, text + "\n", cancellationToken);
            context.Error.WriteLine($"Written to {file}");
            return ExitCodes.Success;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // What was paid for is not lost for want of a place.
            ProblemReport.Error(context, $"{file} cannot be written: {exception.Message}");
            await context.Output.WriteLineAsync(text);
            return ExitCodes.Failure;
        }
    }

    private static IEnumerable<string> Problems(LiveSnapshot end) =>
        end.ErrorDetails?.Get("details")?.Get("problems") is { ValueKind: JsonValueKind.Array } list
            ? list.EnumerateArray().Select(static problem => $"{problem.Text("path")}: {problem.Text("message")}")
            : [];

    private static JsonElement Inputs(string prompt, JsonElement? current) => JsonConstants.Object(writer =>
    {
        writer.WriteString("prompt", prompt);
        writer.WriteString("mode", current is null ? "create" : "edit");
        if (current is not { } workflow) return;
        writer.WritePropertyName("current_workflow");
        workflow.WriteTo(writer);
    });
}

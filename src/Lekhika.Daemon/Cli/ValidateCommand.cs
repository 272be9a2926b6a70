using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Hosting;
using Lekhika.Inference;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Dialects;
using Lekhika.Workflows.Validation;
using ModelSettings = Lekhika.Daemon.Hosting.ModelSettings;

namespace Lekhika.Daemon.Cli;

/// <summary><c>lekhika-daemon validate FILE</c>: everything that is wrong with a workflow, at once.</summary>
internal static class ValidateCommand
{
    public static Command Create(CommandContext context)
    {
        var file = new Argument<string>("FILE") { Description = "Workflow in JSON, in any dialect; - reads standard input" };
        var json = new Option<bool>("--json") { Description = "Report in JSON on standard output" };
        var models = new Option<bool>("--models") { Description = "Ask the model endpoints, too, whether they have the models" };
        var graph = new Option<string?>("--graph") { Description = "Also print the graph on standard output: mermaid", HelpName = "FORM" };
        graph.AcceptOnlyFromAmong("mermaid");
        var command = new ExampleCommand("validate", "Check a workflow file and say everything that is wrong; exit 1 if anything is")
        {
            Examples =
            [
                ("before it is inserted", "lekhika-daemon validate book.json"),
                ("for another program", "lekhika-daemon validate - --json < book.json"),
                ("a picture of it", "lekhika-daemon validate book.json --graph mermaid > book.mmd"),
            ],
        };
        command.Add(file);
        command.Add(json);
        command.Add(models);
        command.Add(graph);
        command.Validators.Add(result =>
        {
            if (result.GetValue(json) && result.GetValue(graph) is not null) result.AddError("--json and --graph exclude each other: both write to standard output.");
        });
        command.SetAction(async (parsed, cancellation) =>
        {
            if (LoadedConfiguration.Load(context, parsed, ConfigurationPurpose.Try) is not { } configuration) return ExitCodes.Configuration;
            var name = parsed.GetRequiredValue(file);
            return await Interruptible.RunAsync(
                async token =>
                {
                    if (await WorkflowFile.ReadAsync(context, name, token) is not { } document) return ExitCodes.Failure;
                    var present = parsed.GetValue(models) ? await PresentModelsAsync(context, configuration.Options, token) : null;
                    var result = WorkflowReader.Check(
                        document,
                        WorkflowSettings.Reading(configuration.Options),
                        WorkflowSettings.Validation(configuration.Options) with
                        {
                            PresentModels = present,
                            // Whoever checks a workflow where no secrets are configured is not told that all of them are missing.
                            SecretNames = configuration.Options.Secrets.IsEmpty ? null : [.. configuration.Options.Secrets.Select(static secret => secret.Name)],
                        });
                    if (parsed.GetValue(json)) await context.Output.WriteLineAsync(ValidateReport.ToJson(result));
                    else await WriteAsync(context, WorkflowFile.Name(name), result, parsed.GetValue(graph) is not null);
                    return result.Ok ? ExitCodes.Success : ExitCodes.Failure;
                },
                cancellation);
        });
        return command;
    }

    private static async Task WriteAsync(CommandContext context, string name, ReadResult result, bool asGraph)
    {
        foreach (var problem in result.Problems.OrderByDescending(static problem => problem.Severity)) ProblemReport.Write(context, name, problem);
        if (asGraph && result.Definition is { } definition) await context.Output.WriteAsync(MermaidWriter.Write(definition));
        var errors = result.Problems.Count(static problem => problem.Severity == Severity.Error);
        var warnings = result.Problems.Count - errors;
        var counted = warnings == 0 ? "" : $", {Count(warnings, "warning")}";
        if (!result.Ok) await context.Error.WriteLineAsync($"{name} cannot run: {Count(errors, "error")}{counted}");
        else if (!asGraph) await context.Output.WriteLineAsync($"{name} is valid ({result.Dialect.Word()}, {Count(result.Definition!.Nodes.Length, "node")}{counted}).");
    }

    private static string Count(int number, string what) => string.Create(CultureInfo.InvariantCulture, $"{number} {what}{(number == 1 ? "" : "s")}");

    /// <summary>Names of the models that answer; null, with a warning, where no endpoint does.</summary>
    private static async Task<IReadOnlyCollection<string>?> PresentModelsAsync(CommandContext context, DaemonOptions options, CancellationToken cancellation)
    {
        await using var pool = new ModelPool(ModelSettings.PoolOptions(options), TimeProvider.System, Random.Shared);
        var endpoints = await pool.CheckAsync(cancellation);
        foreach (var endpoint in endpoints.Where(static endpoint => !endpoint.Reachable))
            ProblemReport.Warning(context, endpoint.Problem ?? $"the model endpoint {endpoint.Address} does not answer");
        return endpoints.Any(static endpoint => endpoint.Reachable)
            ? endpoints.SelectMany(static endpoint => endpoint.Models).Select(static model => model.Name).ToImmutableHashSet(StringComparer.OrdinalIgnoreCase)
            : null;
    }
}

using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Hosting;
using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Validation;

namespace Lekhika.Daemon.Cli;

/// <summary><c>lekhika-daemon nodes [TYPE]</c>: the node types there are, or all about one.</summary>
internal static class NodesCommand
{
    private static readonly string[] Dialects = ["canonical", "lekhika", "synthralos", "ctrlchecks"];

    public static Command Create(CommandContext context)
    {
        var wanted = new Argument<string?>("TYPE") { Description = "A node type, or what an earlier editor calls it", Arity = ArgumentArity.ZeroOrOne };
        var command = new ExampleCommand("nodes", "List the node types, those of the configuration included, or show one with its fields")
        {
            Examples = [("all of them", "lekhika-daemon nodes"), ("one of them", "lekhika-daemon nodes http")],
        };
        command.Add(wanted);
        command.SetAction(parsed =>
        {
            if (LoadedConfiguration.Load(context, parsed, ConfigurationPurpose.Try) is not { } configuration) return ExitCodes.Configuration;
            var catalogue = WorkflowSettings.Reading(configuration.Options).Catalogue;
            if (parsed.GetValue(wanted) is not { } name)
            {
                List(context.Output, catalogue);
                return ExitCodes.Success;
            }

            var type = catalogue.Find(name) ?? Dialects.Select(dialect => catalogue.FindAlias(dialect, name)).FirstOrDefault(static found => found is not null);
            if (type is not null)
            {
                Show(context.Output, type);
                return ExitCodes.Success;
            }

            var close = Suggestions.Closest(name, catalogue.Types.Select(static known => known.Name));
            ProblemReport.Error(context, catalogue.Foreign.TryGetValue(name, out var advice)
                ? $"'{name}' is not run by this daemon: {(advice.Length > 0 ? advice + "; or " : "")}give it to an HTTP endpoint in the configuration: [nodes] {name} = URL"
                : $"there is no node type '{name}'{(close is null ? "" : $"; did you mean '{close}'?")}");
            return ExitCodes.Failure;
        });
        return command;
    }

    private static void List(TextWriter output, NodeCatalogue catalogue)
    {
        var width = catalogue.Types.Max(static type => type.Name.Length);
        foreach (var group in catalogue.Types.GroupBy(static type => type.Category))
        {
            output.Write($"{group.Key}\n");
            foreach (var type in group) output.Write($"  {type.Name.PadRight(width)}  {type.Description}\n");
        }
    }

    private static void Show(TextWriter output, NodeType type)
    {
        output.Write($"{type.Name}: {type.Description}\n");
        var aliases = type.Aliases.Values.SelectMany(static names => names).Where(name => name != type.Name).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        if (aliases.Count > 0) output.Write($"\nAlso read as: {string.Join(", ", aliases)}\n");
        if (type.Fields.Length > 0) output.Write("\nConfig:\n");
        var width = type.Fields.Select(static field => field.Name.Length).Append(0).Max();
        foreach (var field in type.Fields) output.Write($"  {field.Name.PadRight(width)}  {Describe(field)}\n");
        foreach (var group in type.OneOf) output.Write($"  One of {string.Join(", ", group)} is needed.\n");
        if (type.External) output.Write("\nIts config goes to the operator's endpoint as it is.\n");
        if (type.Outputs.Length > 0) output.Write("\nOutput:\n");
        var outputs = type.Outputs.Select(static entry => entry.Key.Length).Append(0).Max();
        foreach (var (name, text) in type.Outputs) output.Write($"  {name.PadRight(outputs)}  {text}\n");
        if (type.Routes)
        {
            var own = type.BranchesFrom is null ? "" : $" and those of {type.BranchesFrom}";
            output.Write($"\nBranches: {string.Join(", ", type.Branches)}{own}; error when it fails\n");
        }

        if (type.Example is not { } example) return;
        output.Write("\nExample:\n  ");
        output.Write(string.Create(CultureInfo.InvariantCulture, $"{{\"id\": \"{type.Name}_1\", \"type\": \"{type.Name}\", \"config\": {example.GetRawText()}}}\n"));
    }

    private static string Describe(ConfigField field)
    {
        var kind = field.Kind == FieldKind.Enum ? string.Join("|", field.Options) : field.Kind.ToString().ToLowerInvariant();
        var need = field.Required ? ", required" : field.Default is { ValueKind: not JsonValueKind.Null } standard ? $", default {standard.GetRawText()}" : "";
        return $"({kind}{need}) {field.Description}";
    }
}

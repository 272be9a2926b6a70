using System.Collections.Frozen;
using System.Text.Json;
using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Dialects;
using Lekhika.Workflows.Execution;
using Lekhika.Workflows.Expressions;
using Lekhika.Workflows.Templates;
using Lekhika.Workflows.Validation;

namespace Lekhika.Daemon.Nodes;

/// <summary>Reads a definition of any dialect, validates it, and puts plan, runners, templates and expressions together.</summary>
internal sealed class WorkflowCompiler(ReadOptions reading, ValidationOptions validation, NodeRunners runners) : IWorkflowCompiler
{
    /// <inheritdoc/>
    public CompileResult Compile(JsonElement document)
    {
        var scanned = new ScannedTemplates();
        var read = WorkflowReader.Check(document, reading, validation with { Expressions = new CelChecker(scanned) });
        var dialect = read.Dialect.Word();
        if (!read.Ok) return new CompileResult(null, dialect, read.Problems);

        var problems = new List<Problem>(read.Problems);
        var programs = new Dictionary<PlannedNode, NodeProgram>(ReferenceEqualityComparer.Instance);
        var definition = NodeExpansion.Expand(read.Definition!);
        var plan = WorkflowPlan.Compile(definition, node => reading.Catalogue.Find(NodeExpansion.AuthorType(node.Type))?.Effect ?? EffectClass.Effect);
        Add(plan, "", scanned, programs, problems);
        return problems.Exists(static problem => problem.Severity == Severity.Error)
            ? new CompileResult(null, dialect, problems)
            : new CompileResult(new CompiledWorkflow(plan, programs.ToFrozenDictionary(ReferenceEqualityComparer.Instance)), dialect, problems);
    }

    private void Add(WorkflowPlan plan, string within, ScannedTemplates scanned, Dictionary<PlannedNode, NodeProgram> programs, List<Problem> problems)
    {
        foreach (var node in plan.Nodes)
        {
            var path = $"{within}nodes[{node.Index}].config";
            if (Program(node.Definition, path, scanned, problems) is { } program) programs.Add(node, program);
            if (node.Body is { } body) Add(body, path + ".body.", scanned, programs, problems);
        }
    }

    private NodeProgram? Program(NodeDefinition node, string path, ScannedTemplates scanned, List<Problem> problems)
    {
        var type = reading.Catalogue.Find(NodeExpansion.AuthorType(node.Type));
        if (type is null || runners.Find(type with { Name = node.Type }) is not { } runner)
        {
            var advice = type is { External: false }
                ? "it is not in this build"
                : $"which this build does not run; give it to an endpoint of your own with [nodes] {node.Type} = URL";
            problems.Add(new Problem(
                Severity.Error, "unsupported_node_type", path[..^".config".Length] + ".type", $"node '{node.Id}' is of type '{node.Type}'; {advice}"));
            return null;
        }

        if (!ConfigTemplate.TryCompile(node.Config, out var config, out var faults, path, type.RawFields.Contains, scanned))
        {
            problems.AddRange(faults);
            return null;
        }

        var expressions = new Dictionary<string, CelExpression>(StringComparer.Ordinal);
        foreach (var field in type.Fields)
        {
            if (field.Kind != FieldKind.Expression || !node.Config.TryGetProperty(field.Name, out var text)) continue;
            var written = text.ValueKind == JsonValueKind.String ? text.GetString()! : text.GetRawText();
            if (CelExpression.TryCompile(written, out var expression, out var error)) expressions.Add(field.Name, expression);
            else problems.Add(new Problem(Severity.Error, "invalid_expression", $"{path}.{field.Name}", error.Message));
        }

        return new NodeProgram
        {
            Type = type,
            Runner = runner,
            Config = config,
            Expressions = expressions.ToFrozenDictionary(StringComparer.Ordinal),
            RawConfig = node.Config,
            Secrets =
            [
                .. config.References.Select(static named => named.Reference).Where(static reference => reference.Name == "secrets")
                    .Select(static reference => reference.Path is [{ Member: { } name }, ..] ? name : null).OfType<string>().Distinct(StringComparer.Ordinal),
            ],
        };
    }
}

using System.Collections.Frozen;
using System.Text.Json;
using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Execution;
using Lekhika.Workflows.Expressions;
using Lekhika.Workflows.Templates;

namespace Lekhika.Daemon.Nodes;

/// <summary>A definition ready to run: its plan, and for each node its runner, its compiled configuration and expressions.</summary>
internal sealed class CompiledWorkflow(WorkflowPlan plan, FrozenDictionary<PlannedNode, NodeProgram> programs)
{
    public WorkflowPlan Plan { get; } = plan;

    /// <summary>Key of the first trigger; its output is what <c>inputs</c> means once it has run. Null if there is none.</summary>
    public string? TriggerKey { get; } =
        plan.Nodes.FirstOrDefault(static node => node.Definition.Type == "trigger") is { } trigger ? StepKey.Of(trigger.Id) : null;

    /// <summary>Keys of the set nodes at the top, in the author's order: their outputs are <c>vars</c>.</summary>
    public IReadOnlyList<PlannedNode> Setters { get; } = [.. plan.Nodes.Where(static node => node.Definition.Type == "set")];

    public NodeProgram ProgramOf(PlannedNode node) => programs[node];
}

/// <summary>One node of a compiled workflow.</summary>
internal sealed class NodeProgram
{
    /// <summary>What the catalogue knows of its type.</summary>
    public required NodeType Type { get; init; }

    public required INodeRunner Runner { get; init; }

    /// <summary>The configuration with its templates compiled; raw fields are left as they are.</summary>
    public required ConfigTemplate Config { get; init; }

    /// <summary>The expressions among its configuration, by field.</summary>
    public required FrozenDictionary<string, CelExpression> Expressions { get; init; }

    /// <summary>The secrets that its templates name, each once.</summary>
    public IReadOnlyList<string> Secrets { get; init; } = [];

    /// <summary>The configuration as it was written.</summary>
    public required JsonElement RawConfig { get; init; }

    /// <summary>Evaluates an expression field.</summary>
    /// <exception cref="TemplateRenderException">It failed; says which field and why.</exception>
    public CelValue Evaluate(string field, ICelBindings bindings)
    {
        try
        {
            return Expressions[field].Evaluate(bindings);
        }
        catch (CelEvaluationException exception)
        {
            throw new TemplateRenderException("config." + field, Expressions[field].Text, exception);
        }
    }
}

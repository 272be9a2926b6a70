using System.Text.Json;

namespace Lekhika.Workflows.Execution;

/// <summary>One pass over one graph: the run itself, or one iteration of a map or loop.</summary>
internal sealed class GraphState
{
    private ScopeRef? _ref;

    public GraphState(WorkflowPlan plan, StepState? owner, int iteration)
    {
        Plan = plan;
        Owner = owner;
        Iteration = iteration;
        Prefix = owner is null ? null : StepKey.Iteration(owner.Key, iteration);
        Steps = new StepState[plan.Nodes.Count];
        for (var i = 0; i < Steps.Length; i++) Steps[i] = new StepState(this, plan.Nodes[i]);
        Unsettled = Steps.Length;
    }

    public WorkflowPlan Plan { get; }

    /// <summary>The map or loop step it belongs to; null for the run itself.</summary>
    public StepState? Owner { get; }

    public int Iteration { get; }

    /// <summary>Key of the iteration; null for the run itself.</summary>
    public string? Prefix { get; }

    /// <summary>By <see cref="PlannedNode.Index"/>.</summary>
    public StepState[] Steps { get; }

    /// <summary>Steps that are not over.</summary>
    public int Unsettled { get; set; }

    /// <summary>Whether its roots were reached. Before that it only keeps records that came ahead of their predecessors.</summary>
    public bool Started { get; set; }

    /// <summary>Whether work may still be handed out in it.</summary>
    public bool Live { get; set; }

    /// <summary>Whether its scope counts it as over.</summary>
    public bool Counted { get; set; }

    /// <summary>Whether anything inside it is recorded.</summary>
    public bool HasFacts { get; set; }

    /// <summary>The step that failed it; the earliest if several did.</summary>
    public StepState? Fatal { get; set; }

    /// <summary>Weighted sum of its steps' fractions.</summary>
    public double DoneWeight { get; set; }

    /// <summary>How much of it is over, 0 to 1.</summary>
    public double Fraction => Counted ? 1 : Plan.Weight > 0 ? DoneWeight / Plan.Weight : 0;

    /// <summary>The iteration as its steps see it; null at the top.</summary>
    public ScopeRef? Ref(Func<StepState, StepRef> refOf) => Owner is null
        ? null
        : _ref ??= new ScopeRef(refOf(Owner), Iteration, Item, Prefix!);

    public JsonElement? Item => Owner?.Scope?.Items is { } items && Iteration < items.Length ? items[Iteration] : null;
}

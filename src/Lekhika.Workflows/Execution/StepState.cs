namespace Lekhika.Workflows.Execution;

/// <summary>Where a step stands inside the machine; finer than <see cref="StepStatus"/>.</summary>
internal enum StepPhase
{
    Pending,

    /// <summary>May start; not handed out yet.</summary>
    Ready,

    /// <summary>Handed out, no record yet.</summary>
    Running,
    Retrying,
    Waiting,

    /// <summary>A scope with iterations going on.</summary>
    Open,

    /// <summary>A while-loop that asks whether to make another pass.</summary>
    Deciding,

    /// <summary>A scope whose iterations are over; it asks for its final record.</summary>
    Closing,
    Succeeded,
    Failed,
    PassedOver,
    Skipped,
}

/// <summary>One step of a run: its recorded facts and where they have brought it.</summary>
internal sealed class StepState(GraphState graph, PlannedNode node)
{
    private string? _key;

    public GraphState Graph { get; } = graph;

    public PlannedNode Node { get; } = node;

    public string Key => _key ??= Graph.Prefix is null ? StepKey.Of(Node.Id) : StepKey.Of(Graph.Prefix, Node.Id);

    public StepPhase Phase { get; set; }

    /// <summary>Incoming edges whose fate is open.</summary>
    public int Undecided { get; set; } = node.Incoming.Count;

    /// <summary>Incoming edges that were taken.</summary>
    public int Taken { get; set; }

    /// <summary>What is recorded; null when nothing is. May be there before the step is reached.</summary>
    public StepFacts? Facts { get; set; }

    /// <summary>Id of the predecessor chosen to fire an <c>any</c> join when the step was handed out; a recorded one overrides it.</summary>
    public PlannedNode? ChosenToFire { get; set; }

    /// <summary>The iterations of a map or loop.</summary>
    public ScopeState? Scope { get; set; }

    /// <summary>Whether it is in the queue of steps with something to hand out.</summary>
    public bool IsOffered { get; set; }

    /// <summary>How much of it is over, 0 to 1.</summary>
    public double Fraction { get; set; }

    /// <summary>What was handed out, kept because all steps inside point to their loop step.</summary>
    public StepRef? Ref { get; set; }

    public bool IsOver => Phase >= StepPhase.Succeeded;

    /// <summary>Whether it ran to an end and left something for its successors.</summary>
    public bool IsExecuted => Phase is StepPhase.Succeeded or StepPhase.Failed or StepPhase.PassedOver;
}

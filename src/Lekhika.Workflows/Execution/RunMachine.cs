using Lekhika.Workflows.Definitions;

namespace Lekhika.Workflows.Execution;

/// <summary>
/// What happens next in one run, decided from its plan and its records alone.
/// </summary>
/// <remarks>
/// <para><b>A function of a set.</b> The machine has no clock, no randomness and no memory but its records, and what it says depends on
/// which records it was given, not on their order: so a restart is the same code as a first start. A record that comes before its
/// predecessors' is kept with its step and takes effect when the step is reached. Whatever could have come out otherwise (branch, fired
/// join, items, due times, loop conditions) is read from records; only what is not recorded yet is chosen, and then by graph order.</para>
/// <para><b>A step</b> is <c>Pending</c> until its incoming edges let it start, then <c>Ready</c>, then <c>Running</c> once handed out. A
/// record takes it to <c>Retrying</c> or <c>Waiting</c> (and back when due), a scope through <c>Open</c>, <c>Deciding</c> and
/// <c>Closing</c>; it ends as <c>Succeeded</c>, <c>Failed</c>, <c>PassedOver</c> or <c>Skipped</c>. <c>Skipped</c> is derived and never
/// recorded: all its incoming edges are decided and none is taken, and then none of its own is (dead-path elimination), so that every
/// edge is decided in the end and no join waits for ever.</para>
/// <para><b>Failure</b>, in this order: another attempt if the error allows it and the policy has one left; <c>optional</c>, passed over;
/// <c>on_error: continue</c>, successors go on with <c>{ "error": … }</c>; an <c>error</c> edge or <c>on_error: branch</c>, only those
/// edges are taken; else the graph fails. A failed graph starts nothing more. What was in flight in it may still be recorded, which
/// changes nothing outside it; if several steps failed it, the earliest is named, since the order of records must not matter.</para>
/// <para><b>Scopes</b> run their body graph per iteration. Their failed iterations fail them (with <c>continue</c> they are collected
/// instead), without another attempt: the records inside are final. Once a scope is stopped, iterations of which nothing is recorded
/// never happened.</para>
/// <para><b>Cost.</b> Applying a record costs what it changes: edges count down, nothing is searched. A machine has one owner and no
/// locks. After an exception it is of no more use; its owner reads the records again and makes another.</para>
/// </remarks>
public sealed partial class RunMachine
{
    private readonly RunMachineOptions _limits;
    private readonly GraphState _root;

    /// <summary>Steps whose phase has changed and has yet to take effect; queues instead of recursion, since graphs are deep.</summary>
    private readonly Queue<StepState> _changed = new();
    private readonly Queue<ScopeState> _scopes = new();

    /// <summary>Steps for which there is something to hand out.</summary>
    private readonly Queue<StepState> _offers = new();

    /// <summary>What failed iterations leave behind: attempts in flight and waits.</summary>
    private readonly List<RunAction> _aborts = [];
    private readonly PriorityQueue<(StepState Step, StepRecord Record), DateTimeOffset> _timers = new();
    private readonly HashSet<StepState> _waiting = [];
    private int _busy;
    private int _parked;
    private bool _announced;
    private double _shown;

    /// <summary>A machine for a run of which nothing is recorded yet.</summary>
    /// <param name="plan">The plan of the pinned definition.</param>
    /// <param name="run">Number of the run, from 1; records of other runs are refused.</param>
    /// <param name="limits">Bounds; null means <see cref="RunMachineOptions.Default"/>.</param>
    public RunMachine(WorkflowPlan plan, int run, RunMachineOptions? limits = null)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(run);
        Plan = plan;
        Run = run;
        _limits = limits ?? RunMachineOptions.Default;
        _root = new GraphState(plan, null, 0);
        StartGraph(_root, live: true);
        Settle();
    }

    /// <summary>The plan it runs.</summary>
    public WorkflowPlan Plan { get; }

    /// <summary>Number of the run.</summary>
    public int Run { get; }

    /// <summary>Where the run stands, as of the records applied.</summary>
    public RunStatus Status =>
        _root.Fatal is not null ? RunStatus.Failed
        : _root.Unsettled == 0 ? RunStatus.Completed
        : _busy > 0 ? RunStatus.Advancing
        : RunStatus.Waiting;

    /// <summary>Lets changes take effect until there are none left.</summary>
    private void Settle()
    {
        while (true)
        {
            if (_changed.TryDequeue(out var step))
            {
                if (step.IsOver) DecideEdges(step);
                else if (step.Phase == StepPhase.Ready) Reach(step);
            }
            else if (_scopes.TryDequeue(out var scope)) Continue(scope);
            else return;
        }
    }

    private void StartGraph(GraphState graph, bool live)
    {
        graph.Started = true;
        graph.Live = live;
        foreach (var step in graph.Steps)
        {
            // What is recorded ahead in scopes of a graph that is dead from the start has happened all the same.
            if (!live && step.Scope is { Stopped: false } scope) Stop(scope);
            if (step.Node.Incoming.Count == 0) MakeReady(step);
        }

        if (graph.Steps.Length == 0) GraphOver(graph);
    }

    private void MakeReady(StepState step)
    {
        Move(step, StepPhase.Ready);
        _changed.Enqueue(step);
    }

    /// <summary>The only place where a step's phase changes, so that the counts behind <see cref="Status"/> stay true.</summary>
    private void Move(StepState step, StepPhase phase)
    {
        if (step.Graph.Live) Count(step, -1);
        step.Phase = phase;
        if (step.Graph.Live) Count(step, +1);
    }

    private void Count(StepState step, int by)
    {
        switch (step.Phase)
        {
            case StepPhase.Ready or StepPhase.Running or StepPhase.Deciding or StepPhase.Closing:
                _busy += by;
                break;
            case StepPhase.Retrying:
                _parked += by;
                break;
            case StepPhase.Waiting:
                _parked += by;
                if (by > 0) _waiting.Add(step);
                else _waiting.Remove(step);
                break;
            default:
                break;
        }
    }

    private StepRef RefOf(StepState step)
    {
        if (step.Ref is { } known && known.FiredBy == FiredBy(step)) return known;
        return step.Ref = new StepRef(step.Key, step.Node, step.Graph.Ref(RefOf), FiredBy(step), Predecessors(step));
    }

    private static string? FiredBy(StepState step)
    {
        if (!step.Node.JoinsAny) return null;
        return step.Facts?.FiredBy ?? (step.ChosenToFire is { } chosen ? step.Graph.Steps[chosen.Index].Key : null);
    }

    private static string[] Predecessors(StepState step)
    {
        if (FiredBy(step) is { } fired) return [fired];
        var keys = new List<string>(step.Node.Incoming.Count);
        var seen = new HashSet<PlannedNode>();
        foreach (var edge in step.Node.Incoming)
        {
            var from = step.Graph.Steps[edge.From.Index];
            if (IsTaken(edge, from) && seen.Add(edge.From)) keys.Add(from.Key);
        }

        return [.. keys];
    }
}

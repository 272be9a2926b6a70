using System.Text.Json;

namespace Lekhika.Workflows.Execution;

/// <content>What can be seen from outside.</content>
public sealed partial class RunMachine
{
    /// <summary>The steps that wait now; matching signals to them is the owner's.</summary>
    public IReadOnlyCollection<PendingWait> Waits => [.. _waiting.Select(WaitOf)];

    /// <summary>All steps in graph order, those of iterations after their map or loop: the whole state of the run.</summary>
    public IEnumerable<StepView> Steps => StepsOf(_root);

    /// <summary>The steps that may run or are running now.</summary>
    public int Busy => _busy;

    /// <summary>One step; null if there is none with that key (yet).</summary>
    public StepView? Step(string stepKey) => FindStep(stepKey) is { Graph.Started: true } step ? ViewOf(step) : null;

    /// <summary>
    /// The output of a step that is over; null if it is not, or was skipped. What failed and was lived with has <c>{ "error": … }</c>.
    /// </summary>
    public JsonElement? OutputOf(string stepKey) => FindStep(stepKey) is { Graph.Started: true } step ? RunOutputs.OfStep(step) : null;

    /// <summary>The result of an iteration that is over, else null. A failed one has <c>{ "error": … }</c>.</summary>
    public JsonElement? IterationOutput(string loopKey, int iteration) =>
        FindStep(loopKey)?.Scope is { } scope && scope.Iterations.TryGetValue(iteration, out var graph) && graph.Counted
            ? RunOutputs.OfGraph(graph)
            : null;

    /// <summary>What was decided when a map or loop was opened; null if it is not open.</summary>
    public JsonElement? DecisionOf(string stepKey) => FindStep(stepKey)?.Facts?.Opened?.Decision;

    /// <summary>
    /// What <c>previous</c> means for a step: the output of its single taken predecessor, or an object from node id to output if there
    /// are several. Where a body starts: the item of a map, the last pass's result of a loop, before the first pass what the loop
    /// itself has as <c>previous</c>. Null at the start of the run, where it is the run's inputs.
    /// </summary>
    public JsonElement? PreviousOf(StepRef step)
    {
        ArgumentNullException.ThrowIfNull(step);
        switch (step.Predecessors.Count)
        {
            case 0 when step.Scope is { } scope:
                if (scope.Item is { } item) return item;
                return scope.Index == 0 ? PreviousOf(scope.LoopStep) : IterationOutput(scope.LoopStep.Key, scope.Index - 1);
            case 0:
                return null;
            case 1:
                return OutputOf(step.Predecessors[0]);
            default:
                return RunOutputs.OfSteps(step.Predecessors.Select(key => FindStep(key)!).Where(found => found.IsExecuted));
        }
    }

    /// <summary>
    /// The output of the node with that id as a step sees it: in its own graph, else in the graphs around it. Null if it has none.
    /// </summary>
    public JsonElement? VisibleOutput(StepRef step, string nodeId)
    {
        ArgumentNullException.ThrowIfNull(step);
        for (var graph = FindStep(step.Key)?.Graph; graph is not null; graph = graph.Owner?.Graph)
        {
            if (graph.Plan.Find(nodeId) is { } node) return RunOutputs.OfStep(graph.Steps[node.Index]);
        }

        return null;
    }

    /// <summary>All outputs a step sees, by node id; the ones nearest to it win.</summary>
    public IReadOnlyDictionary<string, JsonElement> VisibleOutputs(StepRef step)
    {
        ArgumentNullException.ThrowIfNull(step);
        var outputs = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        var hidden = new HashSet<string>(StringComparer.Ordinal);
        for (var graph = FindStep(step.Key)?.Graph; graph is not null; graph = graph.Owner?.Graph)
        {
            foreach (var other in graph.Steps)
            {
                if (hidden.Add(other.Node.Id) && RunOutputs.OfStep(other) is { } output) outputs.Add(other.Node.Id, output);
            }
        }

        return outputs;
    }

    /// <summary>
    /// Keys of the steps whose failure failed the run, in graph order: where another run goes on. Of a scope that failed by its iterations the
    /// steps inside that did it.
    /// </summary>
    public IReadOnlyList<string> FailedSteps => [.. FailedIn(_root)];

    private static IEnumerable<string> FailedIn(GraphState graph)
    {
        foreach (var step in graph.Steps)
        {
            if (!IsFatal(step.Node)) continue;
            var inside = false;
            foreach (var iteration in step.Scope?.Iterations.Values.OrderBy(it => it.Iteration) ?? Enumerable.Empty<GraphState>())
            {
                foreach (var key in FailedIn(iteration))
                {
                    inside = true;
                    yield return key;
                }
            }

            if (!inside && step.Facts?.Final is { Outcome: StepOutcome.Failed }) yield return step.Key;
        }
    }

    private StepState? FindStep(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var path = new StepPath(key);
        var graph = _root;
        while (graph is not null && path.TryNext(out var id, out var iteration) && graph.Plan.Find(id) is { } node)
        {
            var step = graph.Steps[node.Index];
            if (iteration is null) return path.AtEnd ? step : null;
            if (step.Scope is not { } scope || path.AtEnd) return null;
            graph = scope.Iterations.GetValueOrDefault(iteration.Value);
        }

        return null;
    }

    private PendingWait WaitOf(StepState step)
    {
        var record = step.Facts!.Latest!;
        return new PendingWait(RefOf(step), record.Attempt, record.DueAt, record.Decision);
    }

    private static IEnumerable<StepView> StepsOf(GraphState graph)
    {
        foreach (var step in graph.Steps)
        {
            yield return ViewOf(step);
            if (step.Scope is not { } scope) continue;
            foreach (var iteration in scope.Iterations.Values.Where(it => it.Started).OrderBy(it => it.Iteration))
            {
                foreach (var inner in StepsOf(iteration)) yield return inner;
            }
        }
    }

    private static StepView ViewOf(StepState step)
    {
        var facts = step.Facts;
        var record = facts?.Final ?? facts?.Latest;
        var due = step.Graph.Live && step.Phase is (StepPhase.Retrying or StepPhase.Waiting) ? record?.DueAt : null;
        var underWay = step.Graph.Live && step.Phase is (StepPhase.Ready or StepPhase.Running);
        var attempt = underWay ? facts?.NextAttempt ?? 1 : facts?.Attempt ?? 0;
        return new StepView(
            step.Key, step.Node, StatusOf(step), attempt, facts?.Final?.Branch, facts?.FiredBy, due, record?.Error,
            RunOutputs.OfStep(step), step.Fraction);
    }

    private static StepStatus StatusOf(StepState step) => step.Phase switch
    {
        StepPhase.Succeeded => StepStatus.Succeeded,
        StepPhase.Failed => StepStatus.Failed,
        StepPhase.PassedOver => StepStatus.PassedOver,
        StepPhase.Skipped => StepStatus.Skipped,
        _ when !step.Graph.Live => StepStatus.Abandoned,
        StepPhase.Pending => StepStatus.Pending,
        StepPhase.Retrying => StepStatus.Retrying,
        StepPhase.Waiting => StepStatus.Waiting,
        StepPhase.Open or StepPhase.Deciding or StepPhase.Closing => StepStatus.Open,
        _ => StepStatus.Running,
    };
}

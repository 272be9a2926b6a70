using System.Text.Json;

namespace Lekhika.Workflows.Execution;

/// <content>Taking in records.</content>
public sealed partial class RunMachine
{
    /// <summary>
    /// Takes in a record. Order does not matter among records that could have happened together, and a record may come twice.
    /// </summary>
    /// <exception cref="InvalidOperationException">The record contradicts the plan or another record.</exception>
    public void Apply(StepRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (record.Run != Run) throw StepFacts.Contradiction(record, FormattableString.Invariant($"this is run {Run}."));
        if (record.Attempt < 1) throw StepFacts.Contradiction(record, "attempts are counted from 1.");

        var (step, pass) = Locate(record);
        // Finding the place may have brought in an iteration; what that changes comes before the record.
        Settle();
        if (pass is { } number) AddDecision(step, number, record);
        else AddFact(step, record);
        Settle();
    }

    /// <summary>Follows a key down to its step, making room for iterations that are not started yet.</summary>
    private (StepState Step, int? Pass) Locate(StepRecord record)
    {
        var path = new StepPath(record.Key);
        var graph = _root;
        while (path.TryNext(out var id, out var iteration))
        {
            var node = graph.Plan.Find(id) ?? throw StepFacts.Contradiction(record, $"there is no node '{id}' at this place.");
            var step = graph.Steps[node.Index];
            if (iteration is null)
            {
                return path.AtEnd
                    ? (step, null)
                    : throw StepFacts.Contradiction(record, $"'{id}' is entered without the number of an iteration.");
            }

            if (node.Body is null) throw StepFacts.Contradiction(record, $"'{id}' has no iterations.");
            var scope = ScopeOf(step);
            if (path.AtEnd) return (step, iteration);
            graph = Iteration(scope, iteration.Value, record);
        }

        throw StepFacts.Contradiction(record, "its key cannot be read.");
    }

    private static ScopeState ScopeOf(StepState step) =>
        step.Scope ??= new ScopeState(step) { Stopped = step.Graph is { Started: true, Live: false } || step.IsOver };

    private GraphState Iteration(ScopeState scope, int number, StepRecord record)
    {
        if (scope.Step.Phase == StepPhase.Skipped)
            throw StepFacts.Contradiction(record, $"no path that was taken leads to '{scope.Step.Key}'.");
        if (scope.Count is { } count && number >= count)
            throw StepFacts.Contradiction(record, FormattableString.Invariant($"'{scope.Step.Key}' has {count} iterations, counted from 0."));
        var graph = GraphOf(scope, number);
        graph.HasFacts = true;
        scope.Highest = Math.Max(scope.Highest, number);
        if (scope.Stopped && !graph.Started) StartGraph(graph, live: false);
        return graph;
    }

    private static GraphState GraphOf(ScopeState scope, int number)
    {
        if (!scope.Iterations.TryGetValue(number, out var graph))
        {
            graph = new GraphState(scope.Step.Node.Body!, scope.Step, number);
            scope.Iterations.Add(number, graph);
        }

        return graph;
    }

    private void AddFact(StepState step, StepRecord record)
    {
        CheckKind(step, record);
        if (step.Phase == StepPhase.Skipped) throw StepFacts.Contradiction(record, "no path that was taken leads to the step.");
        var facts = step.Facts ??= new StepFacts();
        var latest = facts.Latest;
        if (!facts.Add(record)) return;
        if (record.Outcome == StepOutcome.Opened) Open(step, record);

        if (step.Phase == StepPhase.Pending)
        {
            // A record that names what fired an any join may be what its step was held back for.
            if (step.Graph.Started && step.Node.JoinsAny) CheckJoin(step);
        }
        else if (!step.IsOver && (record.IsFinal || record.Outcome == StepOutcome.Opened || facts.Latest != latest))
        {
            if (facts.FiredBy is { } fired && !IsFiredBy(step, fired)) Move(step, StepPhase.Pending);
            else Reach(step);
        }
    }

    private static void CheckKind(StepState step, StepRecord record)
    {
        if (record.Outcome == StepOutcome.Opened && step.Node.Body is null)
            throw StepFacts.Contradiction(record, "only maps and loops are opened.");
        if (record.Outcome == StepOutcome.Waiting && step.Node.Body is not null)
            throw StepFacts.Contradiction(record, "maps and loops do not wait; the steps inside do.");
        if (record.FiredBy is null) return;
        if (!step.Node.JoinsAny) throw StepFacts.Contradiction(record, "only a node that joins any of its edges is fired by one.");
        if (Predecessor(step, record.FiredBy) is null)
            throw StepFacts.Contradiction(record, $"no edge leads from '{record.FiredBy}' to it.");
    }

    private void AddDecision(StepState step, int pass, StepRecord record)
    {
        if (record.Outcome != StepOutcome.Opened || record.Decision?.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
            throw StepFacts.Contradiction(record, "the record of a pass is Opened with the decision true or false.");
        var scope = step.Scope!;
        if (scope.Opened && !scope.IsWhile) throw StepFacts.Contradiction(record, "the passes of this scope are not decided one by one.");
        if (scope.Decisions.TryGetValue(pass, out var known))
        {
            if (!StepFacts.IsSame(known, record)) throw StepFacts.Contradiction(record, "the pass was decided otherwise.");
            return;
        }

        if (scope.Count is { } count && pass > count)
            throw StepFacts.Contradiction(record, FormattableString.Invariant($"the loop ended with pass {count}."));
        scope.Decisions.Add(pass, record);
        _scopes.Enqueue(scope);
    }
}

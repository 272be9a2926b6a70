using Lekhika.Workflows.Definitions;

namespace Lekhika.Workflows.Execution;

/// <content>How a step is reached, ends, and decides its edges.</content>
public sealed partial class RunMachine
{
    /// <summary>Takes a step that may start to where its records say it is.</summary>
    private void Reach(StepState step)
    {
        var facts = step.Facts;
        if (facts?.Final is { } final) End(step, final);
        else if (facts?.Opened is not null)
        {
            if (step.Phase is StepPhase.Open or StepPhase.Deciding or StepPhase.Closing) return;
            Move(step, StepPhase.Open);
            _scopes.Enqueue(step.Scope!);
        }
        else if (facts?.Latest is { } latest)
        {
            Move(step, latest.Outcome == StepOutcome.Retrying ? StepPhase.Retrying : StepPhase.Waiting);
            SetFraction(step, 0);
            // A retry without a due time is due at once; a wait without one has no timer.
            if (latest.DueAt is { } due) _timers.Enqueue((step, latest), due);
            else if (latest.Outcome == StepOutcome.Retrying) _timers.Enqueue((step, latest), DateTimeOffset.MinValue);
            if (step.Phase == StepPhase.Waiting && !step.Graph.Live && step.Graph.Owner is not null) _aborts.Add(new AbandonWait(RefOf(step), WaitOf(step)));
        }
        else
        {
            Move(step, StepPhase.Ready);
            OfferNext(step);
        }
    }

    private void End(StepState step, StepRecord final)
    {
        var closedInOrder = step.Phase == StepPhase.Closing && !step.Scope!.IsFailing;
        var fatal = false;
        if (final.Outcome == StepOutcome.Succeeded) Move(step, StepPhase.Succeeded);
        else if (step.Node.Definition.Optional) Move(step, StepPhase.PassedOver);
        else
        {
            Move(step, StepPhase.Failed);
            fatal = IsFatal(step.Node);
        }

        if (step.Scope is { Stopped: false } scope)
        {
            if (closedInOrder) scope.Stopped = true;
            else Stop(scope);
        }

        Leave(step);
        if (fatal) Fail(step);
        else _changed.Enqueue(step);
    }

    private static void Leave(StepState step)
    {
        step.Graph.Unsettled--;
        SetFraction(step, 1);
    }

    /// <summary>Whether a final failure of the node fails its graph.</summary>
    private static bool IsFatal(PlannedNode node) =>
        !node.Definition.Optional && node.Definition.OnError == ErrorMode.Fail && !node.HasErrorEdge;

    /// <summary>Whether a failure is lived with: successors go on as after a success.</summary>
    private static bool GoesOn(PlannedNode node) => node.Definition.Optional || node.Definition.OnError == ErrorMode.Continue;

    /// <summary>Whether an edge is taken, given that the step it leaves is over. Not stored, because it follows from the record.</summary>
    internal static bool IsTaken(PlannedEdge edge, StepState from) => from.Phase switch
    {
        StepPhase.Succeeded => edge.IsTakenOn(from.Facts!.Final!.Branch),
        StepPhase.PassedOver => edge.IsTakenOn(from.Facts!.Final!.Branch),
        StepPhase.Failed when GoesOn(edge.From) => edge.IsTakenOn(from.Facts!.Final!.Branch),
        StepPhase.Failed => edge.IsError && !IsFatal(edge.From),
        _ => false,
    };

    private void DecideEdges(StepState step)
    {
        foreach (var edge in step.Node.Outgoing)
        {
            var target = step.Graph.Steps[edge.To.Index];
            target.Undecided--;
            if (IsTaken(edge, step)) target.Taken++;
            if (target.Phase == StepPhase.Pending) CheckJoin(target);
            else if (target.Facts?.FiredBy is { } fired && fired == step.Key && !IsFiredBy(target, fired))
                throw NotFired(target, fired);
        }

        if (step.Graph.Unsettled == 0) GraphOver(step.Graph);
    }

    /// <summary>Whether what is decided so far starts or skips a pending step.</summary>
    private void CheckJoin(StepState step)
    {
        if (step.Node.JoinsAny && step.Facts?.FiredBy is { } fired)
        {
            if (!Predecessor(step, fired)!.IsOver) return;
            if (!IsFiredBy(step, fired)) throw NotFired(step, fired);
            MakeReady(step);
        }
        else if (step.Node.JoinsAny && step.Taken > 0) MakeReady(step);
        else if (step.Undecided == 0)
        {
            if (step.Taken > 0) MakeReady(step);
            else Skip(step);
        }
    }

    private void Skip(StepState step)
    {
        if (step.Facts is { } facts && (facts.Final ?? facts.Latest ?? facts.Opened) is { } record)
            throw StepFacts.Contradiction(record, "no path that was taken leads to the step.");
        if (step.Scope is { Highest: >= 0 })
        {
            throw new InvalidOperationException(
                $"No path that was taken leads to '{step.Key}', which contradicts the records that are there of its iterations.");
        }

        Move(step, StepPhase.Skipped);
        Leave(step);
        _changed.Enqueue(step);
    }

    private static StepState? Predecessor(StepState step, string key)
    {
        foreach (var edge in step.Node.Incoming)
        {
            var from = step.Graph.Steps[edge.From.Index];
            if (from.Key == key) return from;
        }

        return null;
    }

    private static bool IsFiredBy(StepState step, string key)
    {
        var from = Predecessor(step, key)!;
        foreach (var edge in step.Node.Incoming)
        {
            if (edge.From == from.Node && IsTaken(edge, from)) return true;
        }

        return false;
    }

    private static InvalidOperationException NotFired(StepState step, string fired)
    {
        var facts = step.Facts!;
        return StepFacts.Contradiction(
            (facts.Final ?? facts.Latest ?? facts.Opened)!, $"the edge from '{fired}' that fired it is not taken.");
    }

    /// <summary>Which taken edge fires an <c>any</c> join of which nothing is recorded: the first in edge order.</summary>
    private static PlannedNode? ChooseToFire(StepState step)
    {
        foreach (var edge in step.Node.Incoming)
        {
            if (IsTaken(edge, step.Graph.Steps[edge.From.Index])) return edge.From;
        }

        return null;
    }
}

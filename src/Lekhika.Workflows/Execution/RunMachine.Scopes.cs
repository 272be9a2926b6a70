using System.Text.Json;
using Lekhika.Workflows.Definitions;

namespace Lekhika.Workflows.Execution;

/// <content>Iterations of maps and loops, and how graphs end.</content>
public sealed partial class RunMachine
{
    /// <summary>Reads what was decided when a scope was opened.</summary>
    private void Open(StepState step, StepRecord record)
    {
        var scope = ScopeOf(step);
        var plan = ScopeDecision.Read(step.Node, record, _limits);
        scope.Opened = true;
        scope.Items = plan.Items;
        scope.IsWhile = plan.Count is null;
        scope.Count = plan.Count;
        scope.Limit = plan.Limit;
        scope.Concurrency = plan.Concurrency;
        scope.Error = plan.Error;
        Weigh(scope);
        if (scope.Count is { } count && scope.Highest >= count)
        {
            throw StepFacts.Contradiction(
                record, FormattableString.Invariant($"iteration {scope.Highest} is recorded, but there are only {count}."));
        }

        if (!scope.IsWhile && scope.Decisions.Count > 0)
            throw StepFacts.Contradiction(record, "passes of it are decided one by one, as only a while-loop's are.");
    }

    /// <summary>Starts what may be started in an open scope, or closes it.</summary>
    private void Continue(ScopeState scope)
    {
        var step = scope.Step;
        if (step.Phase is not (StepPhase.Open or StepPhase.Deciding)) return;
        if (scope.IsFailing)
        {
            Stop(scope);
            Close(scope);
        }
        else if (!scope.Stopped && scope.IsWhile) ContinueWhile(scope);
        else if (!scope.Stopped)
        {
            while (scope.Active < scope.Concurrency && scope.Next < scope.Count) StartIteration(scope);
            if (scope.Active == 0 && scope.Next == scope.Count) Close(scope);
        }
    }

    private void ContinueWhile(ScopeState scope)
    {
        if (scope.Active > 0) return;
        var step = scope.Step;
        if (!scope.Decisions.TryGetValue(scope.Next, out var decision))
        {
            if (step.Phase == StepPhase.Deciding) return;
            Move(step, StepPhase.Deciding);
            OfferNext(step);
            return;
        }

        Move(step, StepPhase.Open);
        if (decision.Decision!.Value.ValueKind == JsonValueKind.False)
        {
            if (scope.Highest >= scope.Next)
                throw StepFacts.Contradiction(decision, FormattableString.Invariant($"pass {scope.Highest} is recorded."));
            scope.Count = scope.Next;
            Weigh(scope);
            Close(scope);
        }
        else if (scope.Next >= scope.Limit)
        {
            scope.Error = ScopeDecision.TooManyPasses(step.Node, scope.Limit);
            Stop(scope);
            Close(scope);
        }
        else StartIteration(scope);
    }

    private void StartIteration(ScopeState scope)
    {
        var graph = GraphOf(scope, scope.Next++);
        scope.Active++;
        StartGraph(graph, live: scope.Step.Graph.Live);
    }

    private void Close(ScopeState scope)
    {
        Move(scope.Step, StepPhase.Closing);
        OfferNext(scope.Step);
    }

    /// <summary>A graph has ended: all its steps are over, or one has failed it.</summary>
    private void GraphOver(GraphState graph)
    {
        if (graph.Counted || graph.Owner is not { Scope: { } scope }) return;
        SetOver(graph);
        if (!graph.Live) return;
        scope.Active--;
        _scopes.Enqueue(scope);
    }

    /// <summary>A step fails its graph; the earliest of several is the cause.</summary>
    private void Fail(StepState step)
    {
        var graph = step.Graph;
        if (graph.Fatal is null || IsEarlier(step, graph.Fatal)) graph.Fatal = step;
        if (graph.Owner is not { Scope: { } scope } owner)
        {
            Kill(graph);
            return;
        }

        if (owner.Node.Definition.OnError != ErrorMode.Continue)
        {
            var first = scope.FailedIteration;
            if (first is null || IsEarlier(graph.Fatal, first.Fatal!)) scope.FailedIteration = graph;
        }

        GraphOver(graph);
        Kill(graph);
    }

    private static bool IsEarlier(StepState one, StepState other)
    {
        var order = EndOf(one).CompareTo(EndOf(other));
        if (order == 0) order = one.Graph.Iteration.CompareTo(other.Graph.Iteration);
        return order == 0 ? one.Node.Index < other.Node.Index : order < 0;
    }

    private static DateTimeOffset EndOf(StepState step) => step.Facts!.Final!.FinishedAt ?? DateTimeOffset.MaxValue;

    /// <summary>Ends all that goes on in a graph. Its records stay, and more may come.</summary>
    private void Kill(GraphState graph)
    {
        if (!graph.Live) return;
        foreach (var step in graph.Steps)
        {
            if (step.Phase == StepPhase.Running && graph.Owner is not null) _aborts.Add(new AbortStep(RefOf(step)));
            if (step.Phase == StepPhase.Waiting && graph.Owner is not null) _aborts.Add(new AbandonWait(RefOf(step), WaitOf(step)));
            Count(step, -1);
            if (step.Scope is { Stopped: false } scope) Stop(scope);
        }

        graph.Live = false;
    }

    /// <summary>
    /// Ends all iterations of a scope. Those of which nothing is recorded are forgotten, and those of which something is recorded but
    /// that were not started yet are brought in: so what is left follows from the records, whatever their order.
    /// </summary>
    private void Stop(ScopeState scope)
    {
        if (scope.Stopped) return;
        scope.Stopped = true;
        foreach (var graph in scope.Iterations.Values.ToList())
        {
            if (graph.Started) Kill(graph);
            if (!graph.HasFacts) Forget(scope, graph);
            else if (!graph.Started) StartGraph(graph, live: false);
        }
    }

    private static void Forget(ScopeState scope, GraphState graph)
    {
        scope.Iterations.Remove(graph.Iteration);
        scope.DoneFraction -= graph.Fraction;
        Weigh(scope);
    }
}

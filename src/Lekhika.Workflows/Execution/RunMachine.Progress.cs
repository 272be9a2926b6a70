namespace Lekhika.Workflows.Execution;

/// <content>
/// Keeping the sums behind <see cref="RunProgress"/> up to date: a change of one step goes up through the scopes around it. The sums
/// follow from the records like everything else and may fall (a loop turns out longer); only what is shown never does.
/// </content>
public sealed partial class RunMachine
{
    /// <summary>How much of the run is over, 0 to 100: never goes back, and is 100 only when the run has completed.</summary>
    public double Progress => _shown = RunProgress.Shown(_shown, _root.Fraction, Status == RunStatus.Completed);

    /// <summary>Tells how far a running step is; ignored unless it is running.</summary>
    /// <param name="stepKey">The step key.</param>
    /// <param name="fraction">From 0 to 1.</param>
    public void ReportFraction(string stepKey, double fraction)
    {
        if (FindStep(stepKey) is { Phase: StepPhase.Running, Node.Body: null } step) SetFraction(step, RunProgress.Running(fraction));
    }

    private static void SetFraction(StepState step, double fraction)
    {
        var gain = fraction - step.Fraction;
        if (gain == 0) return;
        step.Fraction = fraction;
        var graph = step.Graph;
        var before = graph.Fraction;
        graph.DoneWeight += gain * step.Node.Weight;
        PassOn(graph, before);
    }

    private static void SetOver(GraphState graph)
    {
        var before = graph.Fraction;
        graph.Counted = true;
        PassOn(graph, before);
    }

    private static void PassOn(GraphState graph, double before)
    {
        if (graph.Owner is not { Scope: { } scope }) return;
        scope.DoneFraction += graph.Fraction - before;
        Weigh(scope);
    }

    private static void Weigh(ScopeState scope)
    {
        if (!scope.Step.IsOver) SetFraction(scope.Step, RunProgress.Scope(scope.DoneFraction, scope.Count));
    }
}

using Lekhika.Workflows.Catalogue;

namespace Lekhika.Workflows.Execution;

/// <summary>
/// The one formula behind every percentage. Each node has a weight known from the definition alone; a node counts by the share of it
/// that is over, and progress is the weighted share of the graph:
/// <c>100 · Σ weight·share / Σ weight</c>, held under 100 until the run has completed and never taken back. Weights do not depend on
/// how many items a map turns out to have, else the whole would shrink when a map opens.
/// </summary>
internal static class RunProgress
{
    /// <summary>The most that is shown before the run has completed.</summary>
    private const double Ceiling = 99;

    /// <summary>The most that a running step may claim for itself.</summary>
    private const double RunningCeiling = 0.95;

    /// <summary>How much a node counts: effects take nearly all the time, and a scope runs its body several times.</summary>
    public static double WeightOf(EffectClass effect, WorkflowPlan? body) => (effect, body) switch
    {
        (_, not null) => Math.Max(1, 3 * body.Weight),
        (EffectClass.Effect, _) => 10,
        (EffectClass.Wait, _) => 3,
        _ => 1,
    };

    /// <summary>The share of a running step, as its runner reports it; anything but a number from 0 to 1 is bent into that range.</summary>
    public static double Running(double reported) => double.IsNaN(reported) ? 0 : RunningCeiling * Math.Clamp(reported, 0, 1);

    /// <summary>The share of a scope of which so many iterations are over (parts of one included).</summary>
    /// <param name="iterations">Sum of the shares of its iterations.</param>
    /// <param name="count">How many there will be; null while only a condition knows: each pass then halves, thirds, … what is left.</param>
    public static double Scope(double iterations, int? count) =>
        count is null ? iterations / (iterations + 1) : count == 0 ? 0 : Math.Min(1, iterations / count.Value);

    /// <summary>The percentage shown, given what was shown before.</summary>
    public static double Shown(double before, double share, bool completed) =>
        completed ? 100 : Math.Max(before, Math.Clamp(100 * share, 0, Ceiling));
}

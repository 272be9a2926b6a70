namespace Lekhika.Benchmarks.Harness;

/// <summary>What the runs of one side gave.</summary>
internal static class Samples
{
    public static double Median(this IReadOnlyCollection<double> values)
    {
        if (values.Count == 0) return double.NaN;
        var sorted = values.Order().ToList();
        return sorted.Count % 2 == 1 ? sorted[sorted.Count / 2] : (sorted[(sorted.Count / 2) - 1] + sorted[sorted.Count / 2]) / 2;
    }

    /// <param name="values">Samples.</param>
    /// <param name="share">0.99 for the 99th percentile.</param>
    public static double Percentile(this IReadOnlyCollection<double> values, double share)
    {
        if (values.Count == 0) return double.NaN;
        var sorted = values.Order().ToList();
        return sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Count) - 1, 0, sorted.Count - 1)];
    }
}

namespace Lekhika.Workflows.Execution;

/// <summary>Bounds of one run; what a node asks for is cut to them or fails.</summary>
public sealed record RunMachineOptions
{
    /// <summary>The most iterations of one map that run at a time; what a node asks for is cut to it. Default 64, at least 1.</summary>
    public int MaxConcurrency { get; init; } = 64;

    /// <summary>The most passes of one loop; a node's <c>max_iterations</c> is cut to it. Default 10 000.</summary>
    public int MaxIterations { get; init; } = 10_000;

    /// <summary>The most items of one map; a node's <c>max_items</c> is cut to it. Default 100 000.</summary>
    public int MaxItems { get; init; } = 100_000;

    /// <summary>The bounds used when none are given.</summary>
    public static RunMachineOptions Default { get; } = new();
}

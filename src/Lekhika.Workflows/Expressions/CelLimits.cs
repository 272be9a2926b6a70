namespace Lekhika.Workflows.Expressions;

/// <summary>How much one evaluation may cost. An evaluation that exceeds a limit ends with a <see cref="CelBudgetException"/>.</summary>
public sealed record CelLimits
{
    /// <summary>The limits used when none are given.</summary>
    public static CelLimits Default { get; } = new();

    /// <summary>Steps: one for each operation, element visited and 64 characters read or made.</summary>
    public long MaxSteps { get; init; } = 1_000_000;

    /// <summary>The largest value, in characters, bytes and elements, counted as if it were written out.</summary>
    public long MaxSize { get; init; } = 16 * 1024 * 1024;

    /// <summary>How deeply lists and maps that an expression makes may nest.</summary>
    public int MaxValueDepth { get; init; } = 400;

    /// <summary>The longest time one regular expression may search.</summary>
    public TimeSpan RegexTimeout { get; init; } = TimeSpan.FromMilliseconds(500);
}

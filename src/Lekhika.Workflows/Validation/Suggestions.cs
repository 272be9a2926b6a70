namespace Lekhika.Workflows.Validation;

/// <summary>Finds the name that was probably meant.</summary>
public static class Suggestions
{
    private const int LongestName = 64;

    /// <summary>
    /// The candidate nearest to <paramref name="name"/> by edit distance (neighbouring letters swapped count once, case counts nothing), or null
    /// if none is near: the distance may be a third of the length, at most 3.
    /// </summary>
    public static string? Closest(string name, IEnumerable<string> candidates)
    {
        if (name.Length is 0 or > LongestName) return null;
        var limit = Math.Min(3, Math.Max(1, name.Length / 3));
        string? best = null;
        var bestDistance = limit + 1;
        foreach (var candidate in candidates)
        {
            if (Math.Abs(candidate.Length - name.Length) >= bestDistance || string.Equals(candidate, name, StringComparison.Ordinal)) continue;
            var distance = Distance(name, candidate, bestDistance);
            if (distance >= bestDistance) continue;
            best = candidate;
            bestDistance = distance;
        }

        return best;
    }

    /// <summary>The end of a sentence that offers a suggestion, or nothing.</summary>
    internal static string Ask(string? suggestion) => suggestion is null ? "" : $"; did you mean '{suggestion}'?";

    private static int Distance(string left, string right, int stop)
    {
        Span<int> older = stackalloc int[right.Length + 1];
        Span<int> previous = stackalloc int[right.Length + 1];
        Span<int> current = stackalloc int[right.Length + 1];
        for (var column = 0; column <= right.Length; column++) previous[column] = column;
        for (var row = 1; row <= left.Length; row++)
        {
            current[0] = row;
            var least = row;
            for (var column = 1; column <= right.Length; column++)
            {
                var cost = Same(left[row - 1], right[column - 1]) ? 0 : 1;
                var value = Math.Min(Math.Min(previous[column] + 1, current[column - 1] + 1), previous[column - 1] + cost);
                if (row > 1 && column > 1 && Same(left[row - 1], right[column - 2]) && Same(left[row - 2], right[column - 1]))
                    value = Math.Min(value, older[column - 2] + 1);
                current[column] = value;
                least = Math.Min(least, value);
            }

            if (least >= stop) return stop;
            var spare = older;
            older = previous;
            previous = current;
            current = spare;
        }

        return previous[right.Length];
    }

    private static bool Same(char left, char right) => char.ToLowerInvariant(left) == char.ToLowerInvariant(right);
}

namespace Lekhika.Daemon.Configuration;

/// <summary>The "did you mean" of an unknown name.</summary>
internal static class Suggestion
{
    /// <summary>The candidate nearest to <paramref name="name"/> by edit distance, or null when none is near enough to have been meant.</summary>
    public static string? Closest(string name, IEnumerable<string> candidates)
    {
        string? best = null;
        var bestDistance = Math.Max(2, name.Length / 4) + 1;
        foreach (var candidate in candidates)
        {
            var distance = Distance(name, candidate);
            if (distance < bestDistance)
            {
                (best, bestDistance) = (candidate, distance);
            }
        }

        return best;
    }

    /// <summary>As <see cref="Closest"/> for <c>section.key</c>; a right key in the wrong section counts as near.</summary>
    public static string? ClosestSetting(string section, string key, IReadOnlyCollection<string> fullNames)
    {
        var normalized = $"{section}.{key}".ToLowerInvariant().Replace('-', '_');
        var name = normalized[(section.Length + 1)..];
        return Closest(normalized, fullNames)
            ?? fullNames.FirstOrDefault(full => full.EndsWith("." + name, StringComparison.Ordinal))
            ?? fullNames.FirstOrDefault(full => full == normalized.Replace('_', '.'));
    }

    // Edit distance with neighbouring letters swapped counted as one edit (optimal string alignment).
    private static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            rows[i, 0] = i;
        }

        for (var j = 0; j <= b.Length; j++)
        {
            rows[0, j] = j;
        }

        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var change = char.ToUpperInvariant(a[i - 1]) == char.ToUpperInvariant(b[j - 1]) ? 0 : 1;
                var best = Math.Min(Math.Min(rows[i - 1, j] + 1, rows[i, j - 1] + 1), rows[i - 1, j - 1] + change);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    best = Math.Min(best, rows[i - 2, j - 2] + 1);
                }

                rows[i, j] = best;
            }
        }

        return rows[a.Length, b.Length];
    }
}

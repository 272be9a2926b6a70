using Microsoft.CodeAnalysis;

namespace Lekhika;

/// <summary>
/// <c>Select</c> for this project's own code, which finds it before the one of System.Linq since its namespace is nearer. The library's is a generic
/// virtual method: ahead of time it is compiled for each value type that is selected from, times each that is selected into, along every chain. That was
/// 11 of the native binary's 29 MB of code. This one is compiled once for each pair that is written somewhere.
/// Each project has a copy to itself (embedded: not even those who see its internals see it).
/// </summary>
[Embedded]
internal static class Sequences
{
    /// <summary>What <paramref name="selector"/> makes of each, as it is asked for.</summary>
    public static IEnumerable<TResult> Select<TSource, TResult>(this IEnumerable<TSource> source, Func<TSource, TResult> selector)
    {
        foreach (var item in source) yield return selector(item);
    }
}

using System.Collections.Concurrent;
using Lekhika.Workflows.Expressions;

namespace Lekhika.Workflows.Templates;

/// <summary>
/// Keeps what was compiled for templates lately: the same few expressions stand in hundreds of nodes of a large graph, and in one graph after another.
/// Expressions are immutable, so whoever has the same text can share one.
/// </summary>
internal static class CompiledExpressions
{
    private const int MostEntries = 1024;
    private const int LongestText = 1024;

    /// <summary>Secrets are put in their place after the templates are rendered.</summary>
    private static readonly CelCompileOptions Options = new() { OpaqueName = "secrets" };

    private static readonly ConcurrentDictionary<string, CelExpression> Known = new(StringComparer.Ordinal);

    private static int s_count;

    /// <exception cref="CelSyntaxException">The text is no expression.</exception>
    public static CelExpression Get(string text)
    {
        if (Known.TryGetValue(text, out var known)) return known;
        var compiled = CelExpression.Compile(text, Options);
        if (text.Length > LongestText) return compiled;
        if (Interlocked.Increment(ref s_count) > MostEntries)
        {
            // Whatever is in use comes back at once; an order of use would cost every reader something.
            Known.Clear();
            Interlocked.Exchange(ref s_count, 0);
        }

        return Known.GetOrAdd(text, compiled);
    }
}

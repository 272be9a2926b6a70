namespace Lekhika.Workflows.Definitions;

/// <summary>
/// Leads from places in a canonical definition back to the places in the document its author wrote, so that every problem is reported where it
/// can be mended.
/// </summary>
public sealed class SourceMap
{
    private readonly Dictionary<string, (string Author, bool KeepsRest)> _places = new(StringComparer.Ordinal);

    /// <summary>Says where a canonical place comes from.</summary>
    /// <param name="canonical">Place in the canonical form, such as <c>nodes[3].config</c>.</param>
    /// <param name="author">Place in the author's document, such as <c>nodes[3].data</c>.</param>
    /// <param name="keepsRest">Whether what lies below has the same names in both.</param>
    public void Add(string canonical, string author, bool keepsRest = false) => _places[canonical] = (author, keepsRest);

    /// <summary>The author's place for a canonical one; the place itself if nothing is known about it.</summary>
    public string Resolve(string canonical)
    {
        for (var end = canonical.Length; end > 0; end = LastBoundary(canonical, end))
        {
            if (!_places.TryGetValue(canonical[..end], out var found)) continue;
            return found.KeepsRest ? found.Author + canonical[end..] : found.Author;
        }

        return canonical;
    }

    private static int LastBoundary(string path, int end)
    {
        for (var index = end - 1; index > 0; index--)
        {
            if (path[index] is '.' or '[') return index;
        }

        return 0;
    }
}

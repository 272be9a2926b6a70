using System.Globalization;

namespace Lekhika.Daemon.Http.Browse;

/// <summary>Reads parameters of a query and refuses what is not one of them, or not what it should be. An empty one counts as absent.</summary>
internal sealed class QueryReader
{
    private const int MaxTextLength = 256;
    private readonly IQueryCollection _query;

    /// <param name="request">The request.</param>
    /// <param name="known">The names there are.</param>
    /// <exception cref="RequestException">There is another, or one comes twice.</exception>
    public QueryReader(HttpRequest request, params ReadOnlySpan<string> known)
    {
        _query = request.Query;
        foreach (var (name, values) in _query)
        {
            if (known.IndexOf(name) < 0) throw Wrong(name, $"is not known here; there are {string.Join(", ", known!)}");
            if (values.Count > 1) throw Wrong(name, "is given more than once");
        }
    }

    public string? Text(string name)
    {
        var text = _query[name].ToString();
        if (text.Length == 0) return null;
        if (text.Length > MaxTextLength) throw Wrong(name, string.Create(CultureInfo.InvariantCulture, $"has {text.Length} characters; at most {MaxTextLength} are taken"));
        return text.Contains('\0', StringComparison.Ordinal) ? throw Wrong(name, "contains a NUL character") : text;
    }

    public long? Number(string name, long least, long most)
    {
        if (Text(name) is not { } text) return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw Wrong(name, string.Create(CultureInfo.InvariantCulture, $"is not a whole number from {least} to {most}"));
    }

    /// <summary>Values between commas, each of which must be one of <paramref name="known"/>.</summary>
    public string[] Words(string name, IReadOnlyList<string> known)
    {
        if (Text(name) is not { } text) return [];
        var words = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal).ToArray();
        return words.FirstOrDefault(word => !known.Contains(word)) is { } unknown
            ? throw Wrong(name, $"'{unknown}' is none of {string.Join(", ", known)}")
            : words;
    }

    public static RequestException Wrong(string name, string message) =>
        new(StatusCodes.Status400BadRequest, HttpErrorCodes.InvalidRequest, $"The query parameter {name} {message}.")
        {
            Problems = [new FieldProblem($"?{name}", message, "invalid")],
        };
}

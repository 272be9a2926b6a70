using System.Data.Common;

namespace Lekhika.Daemon.Configuration;

/// <summary>Masks the secrets inside values that are otherwise worth showing.</summary>
internal static class Redaction
{
    private static readonly string[] SecretWords = ["password", "passwd", "pwd", "secret", "token", "apikey", "api_key", "api-key", "signature"];

    /// <summary>Masks passwords inside URLs (several may be separated by commas) and in Npgsql keyword strings; other text is returned as it is.</summary>
    public static string Inside(string text)
    {
        if (text.Contains("://", StringComparison.Ordinal))
        {
            return string.Join(", ", SplitUrls(text).Select(Url));
        }

        return text.Contains('=', StringComparison.Ordinal) ? Keywords(text) : text;
    }

    /// <summary>Masks the password of <c>scheme://user:password@host</c> and the secret parameters of the query.</summary>
    public static string Url(string url)
    {
        var scheme = url.IndexOf("://", StringComparison.Ordinal);
        var start = scheme < 0 ? 0 : scheme + 3;
        var end = url.IndexOf('?', start);
        end = end < 0 ? url.Length : end;

        // The last "@", not the authority's: an unescaped "/" or "?" in a password must not uncover its tail.
        var at = url.AsSpan(start, end - start).LastIndexOf('@');
        if (at < 0 && url.AsSpan(start, end - start).IndexOfAny(':', '/') is var first and >= 0 && url[start + first] == ':' && url.LastIndexOf('@') > end)
        {
            end = url.Length;
            at = url.AsSpan(start).LastIndexOf('@');
        }

        var head = url[..end];
        if (at > 0)
        {
            var user = url.AsSpan(start, at);
            var colon = user.IndexOf(':');
            head = colon < 0 ? head : $"{url[..(start + colon + 1)]}{Secret.Mask}{url[(start + at)..end]}";
        }

        return end == url.Length ? head : $"{head}?{string.Join('&', url[(end + 1)..].Split('&').Select(Parameter))}";
    }

    // A comma separates two URLs only if a scheme follows it: it may also stand in a password or between hosts.
    private static IEnumerable<string> SplitUrls(string text)
    {
        var start = 0;
        for (var comma = text.IndexOf(',', StringComparison.Ordinal); comma >= 0; comma = text.IndexOf(',', comma + 1))
        {
            var next = text.AsSpan(comma + 1).TrimStart();
            var scheme = next.IndexOf("://");
            if (scheme > 0 && !next[..scheme].ContainsAnyExceptInRange('a', 'z'))
            {
                yield return text[start..comma].Trim();
                start = comma + 1;
            }
        }

        yield return text[start..].Trim();
    }

    private static string Parameter(string parameter)
    {
        var equals = parameter.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 && IsSecretName(parameter[..equals]) ? parameter[..(equals + 1)] + Secret.Mask : parameter;
    }

    private static string Keywords(string text)
    {
        try
        {
            var builder = new DbConnectionStringBuilder { ConnectionString = text };
            foreach (var keyword in builder.Keys.Cast<string>().Where(IsSecretName).ToList())
            {
                builder[keyword] = Secret.Mask;
            }

            return builder.ConnectionString;
        }
        catch (ArgumentException)
        {
            return Secret.Mask; // not readable as keywords, so nothing in it can be told apart from a secret
        }
    }

    private static bool IsSecretName(string name) =>
        name.Equals("key", StringComparison.OrdinalIgnoreCase)
        || name.Equals("sig", StringComparison.OrdinalIgnoreCase)
        || SecretWords.Any(word => name.Contains(word, StringComparison.OrdinalIgnoreCase));
}

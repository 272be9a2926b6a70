using System.Collections.Immutable;

namespace Lekhika.Daemon.Nodes.Calls;

/// <summary>Which headers carry credentials. Their values are not recorded, and do not follow a redirect to another host.</summary>
internal static class SensitiveNames
{
    public const string Mask = "[redacted]";

    /// <summary>Shorter values are not looked for in bodies: they would be found in words.</summary>
    private const int ShortestSearched = 8;

    private static readonly string[] Parts = ["authorization", "cookie", "token", "secret", "password", "credential", "signature", "api-key", "apikey", "x-auth", "session"];

    public static bool IsSensitive(string header) => Parts.Any(part => header.Contains(part, StringComparison.OrdinalIgnoreCase));

    /// <summary>Takes the credentials of a request out of what a server said: some echo what they are sent.</summary>
    public static string Redact(string text, ImmutableArray<KeyValuePair<string, string>> sent)
    {
        foreach (var (name, value) in sent)
        {
            if (!IsSensitive(name)) continue;
            var space = value.IndexOf(' ', StringComparison.Ordinal);
            text = Without(text, value);
            if (space > 0) text = Without(text, value[(space + 1)..]);
        }

        return text;
    }

    private static string Without(string text, string value) =>
        value.Length >= ShortestSearched ? text.Replace(value, Mask, StringComparison.Ordinal) : text;
}

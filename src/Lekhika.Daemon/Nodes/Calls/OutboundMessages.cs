using System.Collections.Immutable;

namespace Lekhika.Daemon.Nodes.Calls;

/// <summary>A call as a node wants it.</summary>
/// <param name="Method">The HTTP method.</param>
/// <param name="Url">An absolute http or https address, without user and password.</param>
/// <param name="Headers">Headers to send, those of the content included.</param>
/// <param name="Body">The body; null for none.</param>
internal sealed record OutboundRequest(HttpMethod Method, Uri Url, ImmutableArray<KeyValuePair<string, string>> Headers, ReadOnlyMemory<byte>? Body)
{
    /// <summary>The address for people, where the real one holds a secret; else null.</summary>
    public string? ShownUrl { get; init; }

    /// <summary>Why what is sent may not go to an address, also after a redirect; null for no such rule. Gives null if it may.</summary>
    public Func<Uri, string?>? Objection { get; init; }

    /// <summary>Method and address for people: without query and fragment, which may hold keys.</summary>
    public string Display => $"{Method.Method} {ShownUrl ?? Shown(Url)}";

    public static string Shown(Uri url) => url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);
}

/// <summary>The answer, read to its end and unpacked.</summary>
/// <param name="Status">The status code.</param>
/// <param name="Headers">Lower-case name to value; several of one name joined by a comma.</param>
/// <param name="Body">The body, within the size limit.</param>
internal sealed record OutboundReply(int Status, ImmutableSortedDictionary<string, string> Headers, byte[] Body)
{
    public string? ContentType => Headers.GetValueOrDefault("content-type");
}

/// <summary>A call that did not come to an answer.</summary>
internal sealed class OutboundException(string code, string message, bool retryable, Exception? inner = null) : Exception(message, inner)
{
    public string Code { get; } = code;

    public bool Retryable { get; } = retryable;
}

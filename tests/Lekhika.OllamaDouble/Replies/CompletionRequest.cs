using System.Text.Json;

namespace Lekhika.Doubles;

/// <summary>A generate, chat or /v1 chat request, brought to one shape.</summary>
internal sealed record CompletionRequest
{
    /// <value>As sent; it is echoed so.</value>
    public required string Model { get; init; }

    /// <value>All text the model would read: seeds the reply, carries markers, is matched by scripts.</value>
    public required string Text { get; init; }

    /// <value>Neither prompt nor messages: load or unload only.</value>
    public bool IsEmpty { get; init; }

    public bool IsChat { get; init; }

    public bool Stream { get; init; } = true;

    /// <value>A schema, the word json, or undefined.</value>
    public JsonElement Format { get; init; }

    public TimeSpan? KeepAlive { get; init; }

    /// <value>The raw options; they are checked when the request is scheduled.</value>
    public JsonElement Options { get; init; }

    public bool? Think { get; init; }

    public IReadOnlyList<JsonElement> Tools { get; init; } = [];

    public string LastRole { get; init; } = "user";

    public bool Raw { get; init; }

    public string Suffix { get; init; } = "";

    public string Template { get; init; } = "";

    public bool Truncate { get; init; } = true;

    public bool HasImages { get; init; }

    public bool Logprobs { get; init; }

    public int TopLogprobs { get; init; }

    public bool DebugRender { get; init; }

    /// <value>For /v1: the usage line was asked for.</value>
    public bool IncludeUsage { get; init; }

    public int MessageCount { get; init; } = 1;
}

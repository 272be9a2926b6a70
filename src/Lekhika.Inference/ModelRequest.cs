using System.Collections.Immutable;
using System.Text.Json;

namespace Lekhika.Inference;

/// <summary>One call of a model, whichever provider answers it.</summary>
public sealed record ModelRequest
{
    /// <summary>Name of the model as the endpoint knows it, tag included.</summary>
    public required string Model { get; init; }

    /// <summary>The conversation, oldest first; not empty.</summary>
    public required ImmutableArray<ModelMessage> Messages { get; init; }

    /// <summary>The string <c>"json"</c> or a JSON schema the reply must satisfy; null for free text.</summary>
    public JsonElement? Format { get; init; }

    /// <summary>
    /// Whether a reply that does not keep to <see cref="Format"/>, or is cut before its end, is given back as it is instead of failing the call: for
    /// callers who can make something of it. Default false.
    /// </summary>
    public bool FormatIsAdvice { get; init; }

    /// <summary>Sampling temperature; null leaves it to the model.</summary>
    public double? Temperature { get; init; }

    /// <summary>Most tokens to generate; null leaves it to the model.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>Context window in tokens: a runner option, so requests that differ in it do not share a lane.</summary>
    public int? ContextTokens { get; init; }

    /// <summary>Texts that end the generation.</summary>
    public ImmutableArray<string> Stop { get; init; } = [];

    /// <summary><c>true</c>, <c>false</c> or a level such as <c>"low"</c>; null leaves it to the model.</summary>
    public JsonElement? Think { get; init; }

    /// <summary>Further provider options, passed on as they are; a JSON object or null.</summary>
    public JsonElement? Options { get; init; }

    /// <summary>Higher goes first within a lane; 0 is normal.</summary>
    public int Priority { get; init; }

    /// <summary>The longest the whole call may take once its turn has come; null means the endpoint's setting.</summary>
    public TimeSpan? Timeout { get; init; }
}

/// <summary>One message of a conversation.</summary>
/// <param name="Role"><c>system</c>, <c>user</c> or <c>assistant</c>.</param>
/// <param name="Content">Its text.</param>
public sealed record ModelMessage(string Role, string Content);

namespace Lekhika.Doubles;

/// <summary>A model of the store.</summary>
public sealed record DoubleModel
{
    /// <summary>What the store holds unless told otherwise.</summary>
    public static IReadOnlyList<DoubleModel> Defaults { get; } =
    [
        new() { Name = "llama3.2:latest", Capabilities = ["completion", "tools"] },
        new() { Name = "llama3.1:8b", Capabilities = ["completion", "tools"] },
        new() { Name = "llama3:8b" },
        new() { Name = "mistral:7b", Family = "mistral", Capabilities = ["completion", "tools"] },
        new() { Name = "qwen2.5:7b", Family = "qwen2", Capabilities = ["completion", "tools"] },
        new() { Name = "gemma2:2b", Family = "gemma2" },
        new() { Name = "qwen3:8b", Family = "qwen3", Capabilities = ["completion", "tools", "thinking"], ThinkingTokens = 24 },
        new() { Name = "nomic-embed-text:latest", Family = "nomic-bert", Capabilities = ["embedding"] },
    ];

    /// <value>Name with its tag; without one <c>:latest</c> is meant.</value>
    public required string Name { get; init; }

    /// <value>What is on the disk. Two names on one blob share a runner. Defaults to the name.</value>
    public string? Blob { get; init; }

    /// <value>The model family shown by tags and show.</value>
    public string Family { get; init; } = "llama";

    /// <value>Shown by tags, ps and show.</value>
    public string ParameterSize { get; init; } = "8.0B";

    /// <value>Shown by tags, ps and show.</value>
    public string Quantization { get; init; } = "Q4_K_M";

    /// <value>Bytes on the disk.</value>
    public long Size { get; init; } = 4_661_224_676;

    /// <value>The longest context the model was trained for, in tokens.</value>
    public int ContextLength { get; init; } = 131_072;

    /// <value>Width of a vector of <c>/api/embed</c>.</value>
    public int EmbeddingLength { get; init; } = 64;

    /// <value>completion, tools, thinking, insert, vision, embedding.</value>
    public IReadOnlyList<string> Capabilities { get; init; } = ["completion"];

    /// <value>Tokens of thinking before a reply, where thinking is a capability and not turned off.</value>
    public int ThinkingTokens { get; init; }

    /// <value>Own load time; none takes that of the double.</value>
    public TimeSpan? LoadTime { get; init; }

    /// <value>Own speed; none takes that of the double.</value>
    public double? TokensPerSecond { get; init; }

    /// <value>Own reply length; none takes that of the double.</value>
    public int? ReplyTokens { get; init; }

    /// <value>The fault that every request for this model meets.</value>
    public DoubleFault? Fault { get; init; }

    /// <value>The model this one was made from.</value>
    public string ParentModel { get; init; } = "";

    /// <value>The prompt template, shown only.</value>
    public string Template { get; init; } = "{{ .Prompt }}";

    /// <value>The system prompt of the model file.</value>
    public string? System { get; init; }

    /// <value>The parameters of the model file, as show prints them.</value>
    public string? Parameters { get; init; }

    /// <value>Options of the model file that bound a reply.</value>
    public int? NumPredict { get; init; }

    /// <value>When the name was made; none is the start of the double.</value>
    public DateTimeOffset? ModifiedAt { get; init; }

    internal string BlobKey => Blob ?? FullName;

    internal string FullName => Name.Contains(':', StringComparison.Ordinal) ? Name : Name + ":latest";

    internal bool Can(string capability) => Capabilities.Contains(capability, StringComparer.Ordinal);
}

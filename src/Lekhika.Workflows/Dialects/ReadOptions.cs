using System.Collections.Immutable;
using Lekhika.Workflows.Catalogue;

namespace Lekhika.Workflows.Dialects;

/// <summary>What a document is read with.</summary>
public sealed record ReadOptions
{
    /// <summary>The node types there are, with the external ones that the configuration gives to endpoints. Default: the built-in ones.</summary>
    public NodeCatalogue Catalogue { get; init; } = NodeCatalogue.BuiltIn;

    /// <summary>What definitions say, and the model that is meant by it (<c>[models]</c> of the configuration).</summary>
    public IReadOnlyDictionary<string, string> ModelAliases { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>The model that stands for those of hosted providers that no alias maps; null keeps what the document says.</summary>
    public string? DefaultModel { get; init; }
}

using System.Collections.Immutable;
using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Definitions;

namespace Lekhika.Workflows.Validation;

/// <summary>What a definition is checked against.</summary>
public sealed record ValidationOptions
{
    /// <summary>The node types there are, configured external ones included. Default: the built-in ones.</summary>
    public NodeCatalogue Catalogue { get; init; } = NodeCatalogue.BuiltIn;

    /// <summary>Compiles expressions and templates; null leaves them unchecked.</summary>
    public IExpressionChecker? Expressions { get; init; }

    /// <summary>Names of the models that are present; null leaves model names unchecked.</summary>
    public IReadOnlyCollection<string>? PresentModels { get; init; }

    /// <summary>What definitions say, and the model that is meant by it.</summary>
    public IReadOnlyDictionary<string, string> ModelAliases { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Names of the secrets there are; null leaves them unchecked.</summary>
    public IReadOnlyCollection<string>? SecretNames { get; init; }

    /// <summary>Most nodes of a definition, those in bodies included. Default 5 000.</summary>
    public int MaxNodes { get; init; } = 5000;

    /// <summary>Whether names of inputs that no trigger declares are warned about. Default true.</summary>
    public bool CheckInputNames { get; init; } = true;

    /// <summary>Leads to places in the document the author wrote; null if that was the canonical form.</summary>
    public SourceMap? Sources { get; init; }
}

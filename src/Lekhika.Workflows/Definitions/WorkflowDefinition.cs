using System.Collections.Immutable;

namespace Lekhika.Workflows.Definitions;

/// <summary>A workflow in the canonical form: what every dialect is read into and all later rooms work on.</summary>
public sealed record WorkflowDefinition
{
    /// <summary>The name people see; empty when the author gave none.</summary>
    public string Name { get; init; } = "";

    /// <summary>The nodes in the author's order.</summary>
    public required ImmutableArray<NodeDefinition> Nodes { get; init; }

    /// <summary>The edges in the author's order.</summary>
    public required ImmutableArray<EdgeDefinition> Edges { get; init; }
}

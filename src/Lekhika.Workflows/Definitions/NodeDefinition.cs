using System.Text.Json;

namespace Lekhika.Workflows.Definitions;

/// <summary>One node of a workflow, in canonical form.</summary>
public sealed record NodeDefinition
{
    /// <summary>Unique within its graph (the workflow or one loop body).</summary>
    public required string Id { get; init; }

    /// <summary>A canonical type of the catalogue, or the name of an external type; aliases are resolved when a definition is read.</summary>
    public required string Type { get; init; }

    /// <summary>The name people see; null means the id is shown.</summary>
    public string? Name { get; init; }

    /// <summary>What the node type asks for: always a JSON object. Strings may hold <c>{{ cel }}</c> templates.</summary>
    public required JsonElement Config { get; init; }

    /// <summary>When a node with several incoming edges is ready. Default <see cref="JoinMode.All"/>.</summary>
    public JoinMode Join { get; init; } = JoinMode.All;

    /// <summary>How a failed attempt is retried; null means the daemon's default for the type.</summary>
    public RetryPolicy? Retry { get; init; }

    /// <summary>The longest one attempt may take; null means the daemon's default.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>What a final failure means for the run. Default <see cref="ErrorMode.Fail"/>.</summary>
    public ErrorMode OnError { get; init; } = ErrorMode.Fail;

    /// <summary>An optional node that fails is recorded with a warning and passed over.</summary>
    public bool Optional { get; init; }

    /// <summary>The graph that a <c>map</c> or <c>loop</c> node runs once per iteration; null for other types.</summary>
    public WorkflowDefinition? Body { get; init; }

    /// <summary>What people are shown as the node's name.</summary>
    public string DisplayName => string.IsNullOrWhiteSpace(Name) ? Id : Name;
}

/// <summary>When a node with several incoming edges is ready (every edge is decided first, whichever the mode).</summary>
public enum JoinMode
{
    /// <summary>Once every incoming edge is decided and at least one is taken.</summary>
    All,

    /// <summary>As soon as one incoming edge is taken; which one it was is recorded.</summary>
    Any,
}

/// <summary>What the final failure of a node means for its run.</summary>
public enum ErrorMode
{
    /// <summary>The run fails, unless an edge labelled <c>error</c> leaves the node.</summary>
    Fail,

    /// <summary>The run goes on as if the node had succeeded, its output being <c>{ "error": … }</c>.</summary>
    Continue,

    /// <summary>Only the edges labelled <c>error</c> are taken.</summary>
    Branch,
}

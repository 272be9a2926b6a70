using System.Collections.Immutable;
using System.Text.Json;

namespace Lekhika.Workflows.Catalogue;

/// <summary>One field of a node type's config.</summary>
public sealed record ConfigField
{
    /// <summary>Its name in the config.</summary>
    public required string Name { get; init; }

    /// <summary>What it holds once templates are rendered.</summary>
    public required FieldKind Kind { get; init; }

    /// <summary>What it is for, in a sentence.</summary>
    public string Description { get; init; } = "";

    /// <summary>Whether the node cannot run without it.</summary>
    public bool Required { get; init; }

    /// <summary>The value that stands when it is left out; null if there is none.</summary>
    public JsonElement? Default { get; init; }

    /// <summary>The words a <see cref="FieldKind.Enum"/> field may hold.</summary>
    public ImmutableArray<string> Options { get; init; } = [];

    /// <summary>Whether <c>secrets</c> may be named in it; what it holds is then kept out of logs, steps and errors.</summary>
    public bool Secret { get; init; }

    /// <summary>Whether it is taken as it stands, without rendering templates.</summary>
    public bool Raw { get; init; }

    /// <summary>
    /// Whether the node itself renders it, once for each item: <c>item</c> and <c>index</c> are known in it, and it must not be rendered before.
    /// </summary>
    public bool PerItem { get; init; }
}

/// <summary>What a config field holds.</summary>
public enum FieldKind
{
    /// <summary>A short text.</summary>
    String,

    /// <summary>A whole number.</summary>
    Integer,

    /// <summary>A number.</summary>
    Number,

    /// <summary>True or false.</summary>
    Boolean,

    /// <summary>A JSON object.</summary>
    Object,

    /// <summary>A JSON array.</summary>
    Array,

    /// <summary>A CEL expression, without braces around it.</summary>
    Expression,

    /// <summary>A text that usually holds <c>{{ cel }}</c> templates.</summary>
    Template,

    /// <summary>A duration such as <c>"30s"</c>, or seconds as a number.</summary>
    Duration,

    /// <summary>Any JSON value.</summary>
    Any,

    /// <summary>The name of a model.</summary>
    Model,

    /// <summary>One of the field's <see cref="ConfigField.Options"/>.</summary>
    Enum,
}

using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;

namespace Lekhika.Workflows.Catalogue;

/// <summary>What is known of a node type: its config, what it gives back, where it can lead, and how far its work reaches.</summary>
public sealed record NodeType
{
    private FrozenDictionary<string, ConfigField>? _byName;
    private FrozenSet<string>? _secret;
    private FrozenSet<string>? _raw;

    /// <summary>The canonical name.</summary>
    public required string Name { get; init; }

    /// <summary>The name people see.</summary>
    public string Title { get; init; } = "";

    /// <summary>What it does, in a sentence or two.</summary>
    public string Description { get; init; } = "";

    /// <summary>The group it is shown in.</summary>
    public string Category { get; init; } = "external";

    /// <summary>How far its work reaches, which decides what must be durable before it starts and after it ends.</summary>
    public EffectClass Effect { get; init; } = EffectClass.Effect;

    /// <summary>Its config fields, in the order they are shown.</summary>
    public ImmutableArray<ConfigField> Fields
    {
        get;
        init
        {
            field = value;
            (_byName, _secret, _raw) = (null, null, null);
        }
    } = [];

    /// <summary>Groups of fields of which at least one must be given.</summary>
    public ImmutableArray<ImmutableArray<string>> OneOf { get; init; } = [];

    /// <summary>What its output holds: name and description.</summary>
    public ImmutableArray<KeyValuePair<string, string>> Outputs { get; init; } = [];

    /// <summary>Labels of the branches it can take; empty for a node that does not route. Every node can also take <c>error</c>.</summary>
    public ImmutableArray<string> Branches { get; init; } = [];

    /// <summary>Name of the config field whose items are branch labels too; null if there is none.</summary>
    public string? BranchesFrom { get; init; }

    /// <summary>Whether <see cref="BranchesFrom"/>, when the config has it, replaces <see cref="Branches"/>.</summary>
    public bool BranchesReplaced { get; init; }

    /// <summary>Whether its config may hold fields that are not listed.</summary>
    public bool Open { get; init; }

    /// <summary>Whether an HTTP endpoint of the operator's runs it.</summary>
    public bool External { get; init; }

    /// <summary>What the dialects call it: dialect word to names.</summary>
    public FrozenDictionary<string, ImmutableArray<string>> Aliases { get; init; } = FrozenDictionary<string, ImmutableArray<string>>.Empty;

    /// <summary>A config that works; null if there is none.</summary>
    public JsonElement? Example { get; init; }

    /// <summary>Names of the fields that may hold secrets.</summary>
    public FrozenSet<string> SecretFields =>
        _secret ??= Fields.Where(static entry => entry.Secret).Select(static entry => entry.Name).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Names of the fields that nobody renders before the node runs: raw ones, expressions, and those rendered per item.</summary>
    public FrozenSet<string> RawFields =>
        _raw ??= Fields
            .Where(static entry => entry.Raw || entry.PerItem || entry.Kind == FieldKind.Expression)
            .Select(static entry => entry.Name)
            .ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Whether its work is routed by branches.</summary>
    public bool Routes => Branches.Length > 0 || BranchesFrom is not null;

    /// <summary>The field of that name, or null.</summary>
    public ConfigField? Field(string name)
    {
        _byName ??= Fields.ToFrozenDictionary(static entry => entry.Name, StringComparer.Ordinal);
        return _byName.GetValueOrDefault(name);
    }

    /// <summary>A type that an endpoint of the operator's runs and of which nothing else is known.</summary>
    public static NodeType ExternalOf(string name) => new()
    {
        Name = name,
        Title = name,
        Description = "Runs at an HTTP endpoint of the operator's.",
        Effect = EffectClass.Effect,
        Open = true,
        External = true,
    };
}

/// <summary>How far the work of a node reaches.</summary>
public enum EffectClass
{
    /// <summary>Only its output: it may be computed again at will.</summary>
    Pure,

    /// <summary>The world outside: its outcome is committed before an effect that depends on it starts.</summary>
    Effect,

    /// <summary>It waits durably for a time, a signal or a child execution.</summary>
    Wait,

    /// <summary>It runs a body of nodes, once or many times.</summary>
    Scope,
}

using System.Collections.Frozen;

namespace Lekhika.Workflows.Expressions;

/// <summary>A type as a value.</summary>
internal sealed class CelType(string name)
{
    private static readonly CelType[] s_byKind =
    [
        new("null_type"), new("bool"), new("int"), new("uint"), new("double"), new("string"), new("bytes"), new("list"), new("map"),
        new("google.protobuf.Timestamp"), new("google.protobuf.Duration"), new("type"),
    ];

    private static readonly FrozenDictionary<string, CelValue> s_byName = s_byKind.ToFrozenDictionary(
        static type => type.Name, static type => CelValue.From(type), StringComparer.Ordinal);

    public string Name { get; } = name;

    public static CelType Of(in CelValue value) => s_byKind[(int)value.Kind];

    /// <summary>Finds the type that a name denotes in an expression.</summary>
    public static bool TryFind(string name, out CelValue type) => s_byName.TryGetValue(name, out type);

    /// <summary>A type that this evaluator has no values of, as it may stand in a tagged value.</summary>
    public static CelValue Named(string name) => TryFind(name, out var known) ? known : CelValue.From(new CelType(name));
}

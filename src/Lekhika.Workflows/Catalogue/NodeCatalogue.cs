using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;

namespace Lekhika.Workflows.Catalogue;

/// <summary>
/// Every node type there is. Validation, the generator, <c>/openapi.json</c>, the dashboard and the documents all read this one catalogue.
/// Immutable: what an operator adds makes a new catalogue.
/// </summary>
public sealed class NodeCatalogue
{
    private static readonly Lazy<NodeCatalogue> Embedded = new(LoadEmbedded);

    private readonly FrozenDictionary<string, NodeType> _byName;
    private readonly FrozenDictionary<(string Dialect, string Name), NodeType> _byAlias;
    private readonly FrozenDictionary<string, string> _foreign;

    private NodeCatalogue(ImmutableArray<NodeType> types, FrozenDictionary<string, string> foreign)
    {
        Types = types;
        _foreign = foreign;
        _byName = types.ToFrozenDictionary(static type => type.Name, StringComparer.Ordinal);
        var aliases = new Dictionary<(string, string), NodeType>();
        foreach (var type in types)
        {
            foreach (var (dialect, names) in type.Aliases)
            {
                foreach (var name in names) aliases.TryAdd((dialect, name), type);
            }
        }

        _byAlias = aliases.ToFrozenDictionary();
    }

    /// <summary>The types this program runs itself.</summary>
    public static NodeCatalogue BuiltIn => Embedded.Value;

    /// <summary>All types, in the order they are shown.</summary>
    public ImmutableArray<NodeType> Types { get; }

    /// <summary>
    /// Types of the earlier editors that this program does not run: each can be given to an endpoint (<c>[nodes] name = URL</c>). The value is
    /// advice on what to use instead, or empty.
    /// </summary>
    public IReadOnlyDictionary<string, string> Foreign => _foreign;

    /// <summary>The type of that canonical name, or null.</summary>
    public NodeType? Find(string type) => _byName.GetValueOrDefault(type);

    /// <summary>The type that a dialect calls by that name, or null.</summary>
    /// <param name="dialect">One of <c>canonical</c>, <c>lekhika</c>, <c>synthralos</c>, <c>ctrlchecks</c>.</param>
    /// <param name="name">The dialect's name for it.</param>
    public NodeType? FindAlias(string dialect, string name) => _byAlias.GetValueOrDefault((dialect, name));

    /// <summary>The names a dialect may use, its own and the canonical ones, for suggestions.</summary>
    public IEnumerable<string> NamesOf(string dialect) =>
        _byName.Keys.Concat(_byAlias.Keys.Where(key => key.Dialect == dialect).Select(static key => key.Name)).Concat(_foreign.Keys);

    /// <summary>A catalogue that also holds these types; one of the same name takes the place of an external one, never of a built-in one.</summary>
    /// <exception cref="ArgumentException">A type would replace a built-in one.</exception>
    public NodeCatalogue With(IEnumerable<NodeType> added)
    {
        var types = Types.ToList();
        foreach (var type in added)
        {
            var index = types.FindIndex(known => known.Name == type.Name);
            if (index < 0) types.Add(type);
            else if (types[index].External) types[index] = type;
            else throw new ArgumentException($"'{type.Name}' is a built-in node type and cannot be given to an endpoint; choose another name", nameof(added));
        }

        return new NodeCatalogue([.. types], _foreign);
    }

    /// <summary>A catalogue that also knows these external types by name, unless an operator's file has described them.</summary>
    /// <exception cref="ArgumentException">A name is that of a built-in type.</exception>
    public NodeCatalogue WithExternal(IEnumerable<string> names) =>
        With(names.Where(name => Find(name) is not { External: true }).Select(NodeType.ExternalOf));

    /// <summary>A catalogue that also holds the types of an operator's own catalogue file; all of them are external.</summary>
    /// <param name="json">A document of the same form as the built-in catalogue: <c>{"types": [...]}</c>.</param>
    /// <exception cref="FormatException">The document is no catalogue, with the place that is wrong.</exception>
    /// <exception cref="ArgumentException">A name is that of a built-in type.</exception>
    public NodeCatalogue WithFile(ReadOnlyMemory<byte> json)
    {
        var (types, _) = CatalogueParser.Parse(json);
        return With(types.Select(static type => type with { External = true }));
    }

    /// <summary>A catalogue of its own, of the types of one document and no others.</summary>
    /// <param name="json">A document of the same form as the built-in catalogue: <c>{"types": [...]}</c>.</param>
    /// <exception cref="FormatException">The document is no catalogue, with the place that is wrong.</exception>
    public static NodeCatalogue FromFile(ReadOnlyMemory<byte> json)
    {
        var (types, foreign) = CatalogueParser.Parse(json);
        return new NodeCatalogue(types, foreign);
    }

    private static NodeCatalogue LoadEmbedded()
    {
        var assembly = typeof(NodeCatalogue).Assembly;
        using var stream = assembly.GetManifestResourceStream("Lekhika.Workflows.Catalogue.catalogue.json")
            ?? throw new InvalidOperationException("the node catalogue is not embedded in this build");
        var json = new byte[stream.Length];
        stream.ReadExactly(json);
        var (types, foreign) = CatalogueParser.Parse(json);
        return new NodeCatalogue(types, foreign);
    }
}

using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;
using Lekhika.Workflows.Definitions;

namespace Lekhika.Workflows.Catalogue;

/// <summary>Reads a catalogue document. Written by hand, so that it needs no reflection; a wrong document is refused with the place.</summary>
internal static class CatalogueParser
{
    public static (ImmutableArray<NodeType> Types, FrozenDictionary<string, string> Foreign) Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            var options = new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };
            using var document = JsonDocument.Parse(json, options);
            return Parse(document.RootElement);
        }
        catch (JsonException error)
        {
            throw new FormatException($"the catalogue is not JSON: {error.Message}", error);
        }
        catch (InvalidOperationException error)
        {
            throw new FormatException($"the catalogue holds text that is not valid Unicode: {error.Message}", error);
        }
    }

    private static (ImmutableArray<NodeType> Types, FrozenDictionary<string, string> Foreign) Parse(JsonElement root)
    {
        if (!root.TryGet("types", out var list) || list.ValueKind != JsonValueKind.Array) throw Wrong("types", "must be an array of node types");
        var types = ImmutableArray.CreateBuilder<NodeType>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        var index = 0;
        foreach (var item in list.EnumerateArray())
        {
            var type = ParseType(item, JsonPath.Index("types", index++));
            if (!names.Add(type.Name)) throw Wrong(JsonPath.Index("types", index - 1), $"names '{type.Name}' a second time");
            types.Add(type);
        }

        var foreign = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var property in root.ObjectOrEmpty("foreign").EnumerateObject())
        {
            foreach (var name in Strings(property.Value, JsonPath.Key("foreign", property.Name))) foreign[name] = property.Name;
        }

        return (types.ToImmutable(), foreign.ToFrozenDictionary(StringComparer.Ordinal));
    }

    private static NodeType ParseType(JsonElement item, string path)
    {
        var fields = ImmutableArray.CreateBuilder<ConfigField>();
        if (item.TryGet("fields", out var list))
        {
            if (list.ValueKind != JsonValueKind.Array) throw Wrong(path + ".fields", "must be an array");
            foreach (var field in list.EnumerateArray()) fields.Add(ParseField(field, JsonPath.Index(path + ".fields", fields.Count)));
        }

        return new NodeType
        {
            Name = item.Text("name") ?? throw Wrong(path, "needs a \"name\""),
            Title = item.Text("title") ?? item.Text("name")!,
            Description = item.Text("description") ?? "",
            Category = item.Text("category") ?? "external",
            Effect = Word(item.Text("effect") ?? "effect", path + ".effect", EffectWords),
            Fields = fields.ToImmutable(),
            OneOf = ParseGroups(item, path),
            Outputs = [.. item.ObjectOrEmpty("outputs").EnumerateObject().Select(static output =>
                KeyValuePair.Create(output.Name, output.Value.Scalar() ?? ""))],
            Branches = Strings(item, "branches", path),
            BranchesFrom = item.Text("branches_from"),
            BranchesReplaced = Flag(item, "branches_replaced"),
            Open = Flag(item, "open"),
            Aliases = item.ObjectOrEmpty("aliases").EnumerateObject()
                .ToFrozenDictionary(static entry => entry.Name, entry => Strings(entry.Value, path + ".aliases"), StringComparer.Ordinal),
            Example = item.TryGet("example", out var example) ? example.Clone() : null,
        };
    }

    private static ConfigField ParseField(JsonElement item, string path) => new()
    {
        Name = item.Text("name") ?? throw Wrong(path, "needs a \"name\""),
        Kind = Word(item.Text("type") ?? "any", path + ".type", KindWords),
        Description = item.Text("description") ?? "",
        Required = Flag(item, "required"),
        Default = item.TryGet("default", out var standard) ? standard.Clone() : null,
        Options = Strings(item, "options", path),
        Secret = Flag(item, "secret"),
        Raw = Flag(item, "raw"),
        PerItem = Flag(item, "per_item"),
    };

    private static ImmutableArray<ImmutableArray<string>> ParseGroups(JsonElement item, string path) =>
        item.TryGet("one_of", out var groups) && groups.ValueKind == JsonValueKind.Array
            ? [.. groups.EnumerateArray().Select(group => Strings(group, path + ".one_of"))]
            : [];

    private static ImmutableArray<string> Strings(JsonElement item, string field, string path) =>
        item.TryGet(field, out var list) ? Strings(list, $"{path}.{field}") : [];

    private static ImmutableArray<string> Strings(JsonElement list, string path)
    {
        if (list.ValueKind != JsonValueKind.Array) throw Wrong(path, "must be an array of strings");
        return [.. list.EnumerateArray().Select(item => item.Scalar() ?? throw Wrong(path, "must be an array of strings"))];
    }

    private static bool Flag(JsonElement item, string field) => item.TryGet(field, out var value) && value.ValueKind == JsonValueKind.True;

    private static readonly (string Word, EffectClass Value)[] EffectWords =
    [
        ("pure", EffectClass.Pure), ("effect", EffectClass.Effect), ("wait", EffectClass.Wait), ("scope", EffectClass.Scope),
    ];

    private static readonly (string Word, FieldKind Value)[] KindWords =
    [
        ("string", FieldKind.String), ("integer", FieldKind.Integer), ("number", FieldKind.Number), ("boolean", FieldKind.Boolean),
        ("object", FieldKind.Object), ("array", FieldKind.Array), ("expression", FieldKind.Expression), ("template", FieldKind.Template),
        ("duration", FieldKind.Duration), ("any", FieldKind.Any), ("model", FieldKind.Model), ("enum", FieldKind.Enum),
    ];

    private static T Word<T>(string text, string path, (string Word, T Value)[] words)
    {
        foreach (var (word, value) in words)
        {
            if (word == text) return value;
        }

        throw Wrong(path, $"is '{text}' but must be one of {string.Join(", ", words.Select(static entry => entry.Word))}");
    }

    private static FormatException Wrong(string path, string what) => new($"catalogue: {path} {what}");
}

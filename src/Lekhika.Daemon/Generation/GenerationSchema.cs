using System.Collections.Immutable;
using System.Text.Json;
using Lekhika.Daemon.Nodes;
using Lekhika.Workflows.Catalogue;

namespace Lekhika.Daemon.Generation;

/// <summary>The JSON schemas that replies are constrained by, made from the node catalogue.</summary>
internal static class GenerationSchema
{
    public static JsonElement Analysis(ImmutableArray<NodeType> types) => JsonConstants.Object(writer =>
    {
        writer.WriteString("type", "object");
        writer.WriteStartObject("properties");
        Typed(writer, "summary", "string");
        Texts(writer, "requirements", []);
        Words(writer, "triggerType", types.Where(GenerationCatalogue.IsTriggerType).Select(static type => type.Name));
        Texts(writer, "requiredNodes", types.Select(static type => type.Name));
        Typed(writer, "dataFlow", "string");
        Typed(writer, "outputAction", "string");
        writer.WriteEndObject();
        Required(writer, ["summary", "requirements", "triggerType", "requiredNodes", "dataFlow", "outputAction"]);
    });

    public static JsonElement Workflow(ImmutableArray<NodeType> types, EdgeForm edges, bool isEdit) => JsonConstants.Object(writer =>
    {
        writer.WriteString("type", "object");
        writer.WriteStartObject("properties");
        Typed(writer, "name", "string");
        Typed(writer, "summary", "string");
        writer.WriteStartObject("nodes");
        writer.WriteString("type", "array");
        if (!isEdit) writer.WriteNumber("minItems", 1);
        writer.WriteStartObject("items");
        writer.WriteStartArray("anyOf");
        foreach (var type in types) Node(writer, type);
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteStartObject("edges");
        writer.WriteString("type", "array");
        writer.WriteStartObject("items");
        writer.WriteString("type", "object");
        writer.WriteStartObject("properties");
        Typed(writer, edges.From, "string");
        Typed(writer, edges.To, "string");
        Typed(writer, edges.Branch, "string");
        writer.WriteEndObject();
        Required(writer, [edges.From, edges.To]);
        writer.WriteEndObject();
        writer.WriteEndObject();
        if (isEdit) Texts(writer, "removed", []);
        writer.WriteEndObject();
        Required(writer, isEdit ? ["nodes", "edges", "removed"] : ["name", "summary", "nodes", "edges"]);
    });

    private static void Node(Utf8JsonWriter writer, NodeType type)
    {
        writer.WriteStartObject();
        writer.WriteString("type", "object");
        writer.WriteStartObject("properties");
        Typed(writer, "id", "string");
        Words(writer, "type", [type.Name]);
        Typed(writer, "name", "string");
        writer.WriteStartObject("config");
        writer.WriteString("type", "object");
        if (type.Fields.Length > 0)
        {
            writer.WriteStartObject("properties");
            foreach (var field in type.Fields) Field(writer, field);
            writer.WriteEndObject();
            Required(writer, type.Fields.Where(static field => field.Required).Select(static field => field.Name));
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
        Required(writer, ["id", "type", "config"]);
        writer.WriteEndObject();
    }

    /// <summary>Where a template may stand for a value, text is allowed as well.</summary>
    private static void Field(Utf8JsonWriter writer, ConfigField field)
    {
        switch (field.Kind)
        {
            case FieldKind.Enum when field.Options.Length > 0:
                Words(writer, field.Name, field.Options);
                break;
            case FieldKind.Integer:
                Either(writer, field.Name, "integer", "string");
                break;
            case FieldKind.Number:
                Either(writer, field.Name, "number", "string");
                break;
            case FieldKind.Boolean:
                Typed(writer, field.Name, "boolean");
                break;
            case FieldKind.Object:
                Typed(writer, field.Name, "object");
                break;
            case FieldKind.Array when field.Raw:
                Typed(writer, field.Name, "array");
                break;
            case FieldKind.Array:
                Either(writer, field.Name, "array", "string");
                break;
            case FieldKind.Any:
                writer.WriteStartObject(field.Name);
                writer.WriteEndObject();
                break;
            default:
                Typed(writer, field.Name, "string");
                break;
        }
    }

    private static void Typed(Utf8JsonWriter writer, string name, string type)
    {
        writer.WriteStartObject(name);
        writer.WriteString("type", type);
        writer.WriteEndObject();
    }

    private static void Either(Utf8JsonWriter writer, string name, string one, string other)
    {
        writer.WriteStartObject(name);
        writer.WriteStartArray("anyOf");
        foreach (var type in (ReadOnlySpan<string>)[one, other])
        {
            writer.WriteStartObject();
            writer.WriteString("type", type);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void Words(Utf8JsonWriter writer, string name, IEnumerable<string> words)
    {
        writer.WriteStartObject(name);
        writer.WriteString("type", "string");
        writer.WriteStartArray("enum");
        foreach (var word in words) writer.WriteStringValue(word);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void Texts(Utf8JsonWriter writer, string name, IEnumerable<string> words)
    {
        writer.WriteStartObject(name);
        writer.WriteString("type", "array");
        writer.WriteStartObject("items");
        writer.WriteString("type", "string");
        var list = words.ToList();
        if (list.Count > 0)
        {
            writer.WriteStartArray("enum");
            foreach (var word in list) writer.WriteStringValue(word);
            writer.WriteEndArray();
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void Required(Utf8JsonWriter writer, IEnumerable<string> names)
    {
        writer.WriteStartArray("required");
        foreach (var name in names) writer.WriteStringValue(name);
        writer.WriteEndArray();
    }
}

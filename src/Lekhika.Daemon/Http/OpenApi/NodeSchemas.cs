using System.Text.Json;
using Lekhika.Workflows.Catalogue;

namespace Lekhika.Daemon.Http.OpenApi;

/// <summary>A schema for each node type of the catalogue. A value that may hold a template may be a string whatever it is else.</summary>
internal static class NodeSchemas
{
    public static void Write(Utf8JsonWriter writer, NodeCatalogue catalogue)
    {
        writer.WriteStartObject("Node"u8);
        writer.WriteStartArray("anyOf"u8);
        foreach (var type in catalogue.Types)
        {
            writer.WriteStartObject();
            writer.WriteString("$ref"u8, "#/components/schemas/" + NameOf(type));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        foreach (var type in catalogue.Types) Write(writer, type);
    }

    private static string NameOf(NodeType type) => "node." + type.Name;

    private static void Write(Utf8JsonWriter writer, NodeType type)
    {
        writer.WriteStartObject(NameOf(type));
        writer.WriteString("type"u8, "object"u8);
        writer.WriteString("title"u8, type.Title.Length > 0 ? type.Title : type.Name);
        writer.WriteString("description"u8, type.Description);
        writer.WriteStartObject("properties"u8);
        WriteText(writer, "id"u8);
        writer.WriteStartObject("type"u8);
        writer.WriteString("const"u8, type.Name);
        writer.WriteEndObject();
        WriteText(writer, "name"u8);
        writer.WriteStartObject("config"u8);
        writer.WriteString("type"u8, "object"u8);
        if (type.Fields.Length > 0)
        {
            writer.WriteStartObject("properties"u8);
            foreach (var field in type.Fields) Write(writer, field);
            writer.WriteEndObject();
        }

        WriteRequired(writer, type.Fields.Where(static field => field.Required).Select(static field => field.Name));
        writer.WriteEndObject();
        writer.WriteEndObject();
        WriteRequired(writer, ["id", "type"]);
        if (type.Example is { } example) writer.WriteRaw("x-example-config"u8, example);
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, ConfigField field)
    {
        writer.WriteStartObject(field.Name);
        if (field.Description.Length > 0) writer.WriteString("description"u8, field.Description);
        var types = TypesOf(field.Kind);
        if (types.Length > 0)
        {
            writer.WriteStartArray("type"u8);
            foreach (var type in types) writer.WriteStringValue(type);
            writer.WriteEndArray();
        }

        if (field.Options.Length > 0)
        {
            writer.WriteStartArray("examples"u8);
            foreach (var option in field.Options) writer.WriteStringValue(option);
            writer.WriteEndArray();
        }

        if (field.Default is { ValueKind: not (JsonValueKind.Null or JsonValueKind.Undefined) } standard) writer.WriteRaw("default"u8, standard);
        writer.WriteEndObject();
    }

    private static string[] TypesOf(FieldKind kind) => kind switch
    {
        FieldKind.String or FieldKind.Template or FieldKind.Expression or FieldKind.Model or FieldKind.Enum => ["string"],
        FieldKind.Integer => ["integer", "string"],
        FieldKind.Number or FieldKind.Duration => ["number", "string"],
        FieldKind.Boolean => ["boolean", "string"],
        FieldKind.Object => ["object", "string"],
        FieldKind.Array => ["array", "string"],
        _ => [],
    };

    private static void WriteText(Utf8JsonWriter writer, ReadOnlySpan<byte> name)
    {
        writer.WriteStartObject(name);
        writer.WriteString("type"u8, "string"u8);
        writer.WriteEndObject();
    }

    private static void WriteRequired(Utf8JsonWriter writer, IEnumerable<string> names)
    {
        var all = names.ToList();
        if (all.Count == 0) return;
        writer.WriteStartArray("required"u8);
        foreach (var name in all) writer.WriteStringValue(name);
        writer.WriteEndArray();
    }
}

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lekhika.Daemon.Nodes;
using Lekhika.Workflows.Catalogue;

namespace Lekhika.Daemon.Generation;

/// <summary>
/// A workflow as a model drew it, brought into the form it is to have: what every editor fills in by itself (ids that nobody refers to, empty configs,
/// defaults, positions, names of edge ends) is filled in, and nothing that means something is changed.
/// </summary>
internal static class WorkflowDraft
{
    private static readonly string[] Wrappers = ["workflow", "result", "definition"];
    private static readonly string[] FromNames = ["from", "source", "from_node", "sourceId"];
    private static readonly string[] ToNames = ["to", "target", "to_node", "targetId"];
    private static readonly string[] BranchNames = ["when", "sourceHandle", "branch", "label"];

    /// <summary>Whether an object is a workflow, or wraps one.</summary>
    public static bool Fits(JsonElement value) => Unwrap(value) is not null;

    /// <summary>The workflow in an object; null if there is none.</summary>
    public static JsonElement? Unwrap(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object) return null;
        if (value.TryGetProperty("nodes", out var nodes) && nodes.ValueKind == JsonValueKind.Array) return value;
        foreach (var name in Wrappers)
        {
            if (value.TryGetProperty(name, out var inner) && inner.ValueKind == JsonValueKind.Object
                && inner.TryGetProperty("nodes", out var within) && within.ValueKind == JsonValueKind.Array)
            {
                return inner;
            }
        }

        return null;
    }

    /// <summary>The form a document's edges are written in; null if it has none.</summary>
    public static EdgeForm? FormOf(JsonElement workflow)
    {
        if (!workflow.TryGetProperty("edges", out var edges) || edges.ValueKind != JsonValueKind.Array) return null;
        foreach (var edge in edges.EnumerateArray())
        {
            if (edge.ValueKind != JsonValueKind.Object) continue;
            if (edge.TryGetProperty("from", out _)) return EdgeForm.Canonical;
            if (edge.TryGetProperty("source", out _)) return EdgeForm.Editor;
        }

        return null;
    }

    /// <summary>A mutable copy with everything filled in.</summary>
    public static JsonObject Complete(JsonElement draft, GenerationCatalogue catalogue, EdgeForm edges, string name)
    {
        var copy = (JsonObject)JsonNode.Parse(draft.GetRawText())!;
        var workflow = new JsonObject
        {
            ["name"] = Text(copy["name"]) is { Length: > 0 } given ? given : name,
            ["summary"] = Text(copy["summary"]) ?? Text(copy["description"]) ?? "",
        };
        foreach (var property in copy.ToList())
        {
            if (property.Key is "name" or "summary" or "nodes" or "edges" or "removed" or "description") continue;
            copy.Remove(property.Key);
            workflow[property.Key] = property.Value;
        }

        var nodes = copy["nodes"] as JsonArray ?? [];
        copy.Remove("nodes");
        var links = copy["edges"] as JsonArray ?? [];
        copy.Remove("edges");
        workflow["nodes"] = nodes;
        workflow["edges"] = Edges(links, edges);
        Nodes(nodes, catalogue);
        DraftLayout.Place(workflow, edges);
        return workflow;
    }

    public static JsonElement ToElement(JsonNode node)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            node.WriteTo(writer);
        }

        return JsonConstants.Parse(buffer);
    }

    public static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static void Nodes(JsonArray nodes, GenerationCatalogue catalogue)
    {
        var ids = nodes.OfType<JsonObject>().Select(static node => Text(node["id"])).OfType<string>().ToHashSet(StringComparer.Ordinal);
        for (var index = 0; index < nodes.Count; index++)
        {
            if (nodes[index] is not JsonObject node) continue;
            if (node["id"] is JsonValue number && number.GetValueKind() == JsonValueKind.Number) node["id"] = number.ToJsonString();
            else if (string.IsNullOrWhiteSpace(Text(node["id"])))
            {
                var fresh = index + 1;
                var id = "";
                do
                {
                    id = string.Create(CultureInfo.InvariantCulture, $"node_{fresh++}");
                }
                while (!ids.Add(id));
                node["id"] = id;
            }

            if (Text(node["type"]) is { } type) node["type"] = type.Trim();
            if (node["data"] is JsonObject) continue;
            Config(node, catalogue);
        }
    }

    private static void Config(JsonObject node, GenerationCatalogue catalogue)
    {
        if (node["config"] is null) node["config"] = new JsonObject();
        else if (Text(node["config"]) is { } text && ReplyReader.Read(text, wasCut: false, static _ => true).Value is { } read)
            node["config"] = JsonNode.Parse(read.GetRawText());
        if (node["config"] is not JsonObject config) return;

        // An empty value where there is a default is a value not given; models write null for "none".
        foreach (var empty in config.Where(static property => property.Value is null).Select(static property => property.Key).ToList()) config.Remove(empty);
        if (Text(node["type"]) is not { } name || catalogue.Catalogue.Find(name) is not { } type) return;
        foreach (var field in type.Fields)
        {
            if (field.Default is not { } standard || IsBlank(standard) || (config[field.Name] is { } given && !(field.Required && IsBlank(given)))) continue;
            config[field.Name] = JsonNode.Parse(standard.GetRawText());
        }

        foreach (var field in type.Fields)
        {
            // Numbers and booleans in quotes are what they say.
            if (Text(config[field.Name]) is not { } written) continue;
            if (field.Kind == FieldKind.Boolean && written is "true" or "false") config[field.Name] = written == "true";
            else if (field.Kind is FieldKind.Integer or FieldKind.Number
                && double.TryParse(written, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number))
            {
                config[field.Name] = Math.Floor(number) == number && Math.Abs(number) < 1e15 ? JsonValue.Create((long)number) : JsonValue.Create(number);
            }
        }
    }

    private static bool IsBlank(JsonElement value) =>
        value.ValueKind is JsonValueKind.Null || (value.ValueKind == JsonValueKind.String && string.IsNullOrWhiteSpace(value.GetString()));

    private static bool IsBlank(JsonNode value) => Text(value) is { } text && string.IsNullOrWhiteSpace(text);

    private static JsonArray Edges(JsonArray given, EdgeForm form)
    {
        var made = new JsonArray();
        var seen = new HashSet<(string?, string?, string?)>();
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in given)
        {
            if (item is not JsonObject edge)
            {
                if (item is not null) made.Add(item.DeepClone());
                continue;
            }

            var from = First(edge, FromNames);
            var to = First(edge, ToNames);
            var branch = First(edge, BranchNames);
            if (!seen.Add((from, to, branch))) continue;
            var made1 = new JsonObject();
            var id = Text(edge["id"]) is { Length: > 0 } own ? own : string.Create(CultureInfo.InvariantCulture, $"edge_{made.Count + 1}");
            while (!ids.Add(id)) id += "_";
            made1["id"] = id;
            if (from is not null) made1[form.From] = from;
            if (to is not null) made1[form.To] = to;
            if (!string.IsNullOrWhiteSpace(branch)) made1[form.Branch] = branch;
            foreach (var property in edge)
            {
                if (property.Key == "id" || property.Value is null || FromNames.Contains(property.Key) || ToNames.Contains(property.Key)
                    || BranchNames.Contains(property.Key) || ReferenceEquals(form, EdgeForm.Canonical))
                {
                    continue;
                }

                made1[property.Key] = property.Value.DeepClone();
            }

            made.Add((JsonNode)made1);
        }

        return made;
    }

    private static string? First(JsonObject edge, string[] names)
    {
        foreach (var name in names)
        {
            if (edge[name] is not JsonValue value) continue;
            return value.GetValueKind() switch
            {
                JsonValueKind.String => value.GetValue<string>(),
                JsonValueKind.True => "true",
                JsonValueKind.False => "false",
                JsonValueKind.Number => value.ToJsonString(),
                _ => null,
            };
        }

        return null;
    }
}

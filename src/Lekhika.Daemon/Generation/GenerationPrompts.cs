using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Lekhika.Inference;
using Lekhika.Workflows.Catalogue;

namespace Lekhika.Daemon.Generation;

/// <summary>What the models are told.</summary>
internal static class GenerationPrompts
{
    private const int LongestContext = 12_000;

    public static ImmutableArray<ModelMessage> Analysis(JobRequest request, GenerationCatalogue catalogue)
    {
        var text = new StringBuilder();
        text.AppendLine("You analyze requests for automated workflows. Answer with one JSON object and nothing else:");
        text.AppendLine("""{"summary": what the workflow does, "requirements": [what it must do], "triggerType": the node type it begins with, "requiredNodes": [the node types it needs], "dataFlow": what passes from node to node, "outputAction": what comes out in the end}""");
        text.AppendLine();
        text.AppendLine("Node types there are:");
        foreach (var group in catalogue.Offer(request, []).GroupBy(static type => type.Category, StringComparer.Ordinal))
        {
            text.Append("- ").Append(group.Key).Append(": ").AppendJoin(", ", group.Select(static type => type.Name)).AppendLine();
        }

        if (catalogue.Types.Length > 40)
        {
            text.Append("There are more, should they be needed: ")
                .AppendJoin(", ", catalogue.Types.Select(static type => type.Name)).AppendLine();
        }

        return [new ModelMessage("system", text.ToString()), new ModelMessage("user", Task(request))];
    }

    public static ImmutableArray<ModelMessage> Workflow(
        JobRequest request, JsonElement analysis, ImmutableArray<NodeType> types, GenerationCatalogue catalogue, EdgeForm edges)
    {
        var text = new StringBuilder();
        text.AppendLine("You write workflows as JSON. Answer with one JSON object and nothing else, no Markdown, no comments:");
        text.Append("""{"name": "...", "summary": "...", "nodes": [{"id": "...", "type": "...", "name": "...", "config": {}}], "edges": [{""")
            .Append(CultureInfo.InvariantCulture, $"\"{edges.From}\": \"id\", \"{edges.To}\": \"id\"").AppendLine("}]}");
        if (request.IsEdit)
        {
            text.AppendLine("You are given a workflow and a change to make. In nodes, give only those that are new or changed, each complete and under its own id; "
                + "in edges, give all edges the workflow has after the change; in removed, list the ids of nodes that are to go. Leave everything else as it is.");
        }

        text.AppendLine();
        text.AppendLine("Rules:");
        text.AppendLine("- The workflow begins with a trigger, and every other node can be reached from it. Edges never form a cycle.");
        text.AppendLine("- Ids are unique. Only node types of the list are used. Fields marked * must be given.");
        text.AppendLine(CultureInfo.InvariantCulture, $"- An edge that leaves a node with branches names its branch in \"{edges.Branch}\"; other edges have none.");
        text.AppendLine("- Never write a password, key or token. Take such values from an input instead.");
        if (!catalogue.IsForeign)
        {
            text.AppendLine("""- Values are passed on with templates in strings: {{ inputs.topic }}, {{ previous.text }}, {{ nodes["id"].text }}, inside map and loop bodies {{ item }}.""");
            text.AppendLine("- Expressions (condition, switch, filter) are CEL without braces: inputs.amount > 100 && nodes[\"ask\"].text.contains(\"yes\").");
        }

        if (request.MaxNodes is { } most) text.AppendLine(CultureInfo.InvariantCulture, $"- Use at most {most} nodes.");
        text.AppendLine();
        text.AppendLine("Node types:");
        foreach (var type in types) Describe(text, type);
        var user = $"{Task(request)}\n\nAnalysis of the request:\n{Bounded(analysis)}\n\nWrite the JSON object now.";
        return [new ModelMessage("system", text.ToString()), new ModelMessage("user", user)];
    }

    /// <summary>What a reply that cannot be used is answered with.</summary>
    public static string Again(IEnumerable<string> problems, bool wasCut)
    {
        var text = new StringBuilder("Your reply cannot be used:\n");
        foreach (var problem in problems.Take(20)) text.Append("- ").AppendLine(problem);
        if (wasCut) text.AppendLine("It was cut off because it was too long: use fewer nodes and shorter texts.");
        return text.Append("Put all of this right and answer with the whole JSON object again, and nothing else.").ToString();
    }

    private static string Task(JobRequest request)
    {
        var text = new StringBuilder();
        text.AppendLine(request.IsEdit ? "Change to make:" : "Request:").AppendLine(request.Prompt);
        if (request.CurrentWorkflow is { } current)
            text.AppendLine().AppendLine(request.IsEdit ? "The workflow as it is:" : "A workflow the user has, to go by:").AppendLine(Bounded(Compact(current)));
        if (request.History is { } history) text.AppendLine().AppendLine("What happened before, oldest first:").AppendLine(Bounded(history));
        if (request.Wishes is { } wishes) text.AppendLine().AppendLine("Further wishes:").AppendLine(Bounded(wishes));
        return text.ToString();
    }

    private static void Describe(StringBuilder text, NodeType type)
    {
        text.Append("- ").Append(type.Name);
        if (type.Description.Length > 0) text.Append(": ").Append(type.Description);
        text.Append(" Config: ");
        text.Append(type.Fields.Length == 0 ? "none" : string.Join("; ", type.Fields.Select(Field)));
        if (type.Branches.Length > 0 || type.BranchesFrom is not null)
        {
            text.Append(". Branches: ").AppendJoin(", ", type.Branches);
            if (type.BranchesFrom is { } from) text.Append(type.Branches.Length > 0 ? ", " : "").Append("the items of ").Append(from);
        }

        if (type.Example is { } example) text.Append(". Example: ").Append(example.GetRawText());
        text.AppendLine();
    }

    private static string Field(ConfigField field)
    {
        var options = field.Options.Length > 0 ? $" {{{string.Join('|', field.Options)}}}" : $" ({field.Kind.ToString().ToLowerInvariant()})";
        return field.Name + (field.Required ? "*" : "") + options;
    }

    /// <summary>A workflow without what editors keep for drawing it.</summary>
    private static JsonElement Compact(JsonElement workflow) => Nodes.JsonConstants.Object(writer =>
    {
        foreach (var property in workflow.EnumerateObject())
        {
            if (property.Name == "nodes" && property.Value.ValueKind == JsonValueKind.Array)
            {
                writer.WriteStartArray("nodes");
                foreach (var node in property.Value.EnumerateArray()) WriteNode(writer, node);
                writer.WriteEndArray();
            }
            else if (property.Name is "name" or "summary" or "edges") property.WriteTo(writer);
        }
    });

    private static void WriteNode(Utf8JsonWriter writer, JsonElement node)
    {
        if (node.ValueKind != JsonValueKind.Object)
        {
            node.WriteTo(writer);
            return;
        }

        writer.WriteStartObject();
        var data = node.TryGetProperty("data", out var inner) && inner.ValueKind == JsonValueKind.Object ? inner : default;
        if (node.TryGetProperty("id", out var id))
        {
            writer.WritePropertyName("id");
            id.WriteTo(writer);
        }

        writer.WriteString("type", DraftNodes.TypeOf(node));
        foreach (var name in (ReadOnlySpan<string>)["name", "label", "config"])
        {
            if (data.ValueKind == JsonValueKind.Object && data.TryGetProperty(name, out var value) || node.TryGetProperty(name, out value))
            {
                writer.WritePropertyName(name);
                value.WriteTo(writer);
            }
        }

        writer.WriteEndObject();
    }

    private static string Bounded(JsonElement value)
    {
        var text = value.GetRawText();
        return text.Length <= LongestContext ? text : string.Concat(text.AsSpan(0, LongestContext), "… (cut)");
    }
}

using System.Collections.Immutable;
using System.Text.Json;

namespace Lekhika.Workflows.Definitions;

/// <summary>Writes a definition in canonical form; <c>Dialects</c> reads back the same definition. Defaults are left out.</summary>
public static class DefinitionWriter
{
    /// <summary>The canonical form as a JSON value of its own.</summary>
    public static JsonElement ToElement(WorkflowDefinition definition)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, JsonKinds.Readable)) Write(definition, writer);
        var reader = new Utf8JsonReader(buffer.GetBuffer().AsSpan(0, (int)buffer.Length), new JsonReaderOptions { MaxDepth = 512 });
        return JsonElement.ParseValue(ref reader);
    }

    /// <summary>Writes the canonical form.</summary>
    public static void Write(WorkflowDefinition definition, Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        if (definition.Name.Length > 0) writer.WriteString("name"u8, definition.Name);
        WriteGraph(definition, writer);
        writer.WriteEndObject();
    }

    private static void WriteGraph(WorkflowDefinition graph, Utf8JsonWriter writer)
    {
        writer.WriteStartArray("nodes"u8);
        foreach (var node in graph.Nodes) WriteNode(node, writer);
        writer.WriteEndArray();
        WriteEdges(graph.Edges, writer);
    }

    private static void WriteEdges(ImmutableArray<EdgeDefinition> edges, Utf8JsonWriter writer)
    {
        writer.WriteStartArray("edges"u8);
        foreach (var edge in edges)
        {
            writer.WriteStartObject();
            writer.WriteString("from"u8, edge.From);
            writer.WriteString("to"u8, edge.To);
            if (edge.When is not null) writer.WriteString("when"u8, edge.When);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteNode(NodeDefinition node, Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, node.Id);
        writer.WriteString("type"u8, node.Type);
        if (node.Name is not null) writer.WriteString("name"u8, node.Name);
        writer.WritePropertyName("config"u8);
        WriteConfig(node, writer);
        if (node.Join != JoinMode.All) writer.WriteString("join"u8, "any"u8);
        if (node.Retry is { } retry) WriteRetry(retry, writer);
        if (node.Timeout is { } timeout) writer.WriteString("timeout"u8, DurationText.Write(timeout));
        if (node.OnError != ErrorMode.Fail) writer.WriteString("on_error"u8, node.OnError == ErrorMode.Continue ? "continue"u8 : "branch"u8);
        if (node.Optional) writer.WriteBoolean("optional"u8, true);
        writer.WriteEndObject();
    }

    private static void WriteConfig(NodeDefinition node, Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        if (node.Config.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in node.Config.EnumerateObject())
            {
                if (node.Body is null || !property.NameEquals("body"u8)) property.WriteTo(writer);
            }
        }

        if (node.Body is { } body)
        {
            writer.WriteStartObject("body"u8);
            WriteGraph(body, writer);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private static void WriteRetry(RetryPolicy retry, Utf8JsonWriter writer)
    {
        writer.WriteStartObject("retry"u8);
        writer.WriteNumber("max_attempts"u8, retry.MaxAttempts);
        writer.WriteString("initial_delay"u8, DurationText.Write(retry.InitialDelay));
        writer.WriteNumber("backoff"u8, retry.Backoff);
        writer.WriteString("max_delay"u8, DurationText.Write(retry.MaxDelay));
        writer.WriteNumber("jitter"u8, retry.Jitter);
        writer.WriteEndObject();
    }
}

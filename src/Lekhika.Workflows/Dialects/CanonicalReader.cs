using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Validation;

namespace Lekhika.Workflows.Dialects;

/// <summary>
/// Reads the canonical form. Wrong shapes are reported with their place and read past, so that one reading finds everything. What the shapes
/// mean (types, required config, edges) is the validator's business.
/// </summary>
internal sealed class CanonicalReader(ProblemList problems)
{
    private const int DeepestBody = 16;

    private static readonly string[] NodeFields =
        ["id", "type", "name", "config", "join", "retry", "timeout", "on_error", "optional"];

    /// <summary>What editors keep beside the fields and what has no meaning here.</summary>
    private static readonly string[] EditorFields = ["position", "description", "notes", "ui"];

    private static readonly string[] EdgeFields = ["from", "to", "when"];

    public WorkflowDefinition? Read(JsonElement document, string path, int depth = 0)
    {
        if (document.ValueKind != JsonValueKind.Object)
        {
            problems.Error("wrong_type", path, $"a workflow must be an object with \"nodes\" and \"edges\", but this is {document.Describe()}");
            return null;
        }

        if (depth > DeepestBody)
        {
            problems.Error("too_deep", path, $"loop bodies may be nested {DeepestBody} deep; move inner parts into a workflow of their own");
            return null;
        }

        return new WorkflowDefinition
        {
            Name = document.Text("name") ?? "",
            Nodes = ReadNodes(document, JsonPath.Key(path, "nodes"), depth),
            Edges = ReadEdges(document, JsonPath.Key(path, "edges")),
        };
    }

    private ImmutableArray<NodeDefinition> ReadNodes(JsonElement document, string path, int depth)
    {
        if (!document.TryGet("nodes", out var list) || list.ValueKind != JsonValueKind.Array)
        {
            problems.Error("wrong_type", path, $"\"nodes\" must be an array of nodes, but it is {list.Describe()}");
            return [];
        }

        var nodes = ImmutableArray.CreateBuilder<NodeDefinition>(list.GetArrayLength());
        var index = 0;
        foreach (var item in list.EnumerateArray()) nodes.Add(ReadNode(item, JsonPath.Index(path, index++), depth));
        return nodes.MoveToImmutable();
    }

    private NodeDefinition ReadNode(JsonElement item, string path, int depth)
    {
        if (item.ValueKind != JsonValueKind.Object)
        {
            problems.Error("wrong_type", path, $"a node must be an object, but this is {item.Describe()}");
            return new NodeDefinition { Id = "", Type = "", Config = JsonKinds.EmptyObject };
        }

        ReportUnknown(item, path, NodeFields, EditorFields, "a node");
        var type = NameField(item, "type", path);
        var config = JsonKinds.EmptyObject;
        if (item.TryGet("config", out var given) && given.ValueKind != JsonValueKind.Null)
        {
            if (given.ValueKind == JsonValueKind.Object) config = given;
            else problems.Error("wrong_type", JsonPath.Key(path, "config"), $"\"config\" must be an object, but it is {given.Describe()}");
        }

        WorkflowDefinition? body = null;
        if (type is "map" or "loop" && config.TryGet("body", out var graph))
        {
            body = Read(graph, JsonPath.Key(JsonPath.Key(path, "config"), "body"), depth + 1);
            var rest = (JsonObject)config.ToNode()!;
            rest.Remove("body");
            config = rest.ToElement();
        }

        return new NodeDefinition
        {
            Id = NameField(item, "id", path),
            Type = type,
            Name = item.Text("name"),
            Config = config.Clone(),
            Join = Choice(item, "join", path, JoinMode.All, [("all", JoinMode.All), ("any", JoinMode.Any)]),
            Retry = item.TryGet("retry", out var retry) ? ReadRetry(retry, JsonPath.Key(path, "retry")) : null,
            Timeout = Duration(item, "timeout", path),
            OnError = Choice(
                item, "on_error", path, ErrorMode.Fail, [("fail", ErrorMode.Fail), ("continue", ErrorMode.Continue), ("branch", ErrorMode.Branch)]),
            Optional = Flag(item, "optional", path),
            Body = body,
        };
    }

    private ImmutableArray<EdgeDefinition> ReadEdges(JsonElement document, string path)
    {
        if (!document.TryGet("edges", out var list) || list.ValueKind == JsonValueKind.Null) return [];
        if (list.ValueKind != JsonValueKind.Array)
        {
            problems.Error("wrong_type", path, $"\"edges\" must be an array of edges, but it is {list.Describe()}");
            return [];
        }

        var edges = ImmutableArray.CreateBuilder<EdgeDefinition>(list.GetArrayLength());
        var index = 0;
        foreach (var item in list.EnumerateArray())
        {
            var place = JsonPath.Index(path, index++);
            if (item.ValueKind != JsonValueKind.Object)
            {
                problems.Error("wrong_type", place, $"an edge must be an object with \"from\" and \"to\", but this is {item.Describe()}");
                edges.Add(new EdgeDefinition("", ""));
                continue;
            }

            ReportUnknown(item, place, EdgeFields, ["id"], "an edge");
            edges.Add(new EdgeDefinition(NameField(item, "from", place), NameField(item, "to", place), ReadLabel(item, place)));
        }

        return edges.MoveToImmutable();
    }

    private string? ReadLabel(JsonElement edge, string path)
    {
        if (!edge.TryGet("when", out var when) || when.ValueKind == JsonValueKind.Null) return null;
        if (when.Scalar() is { } label) return label.Length == 0 ? null : label;
        problems.Error("wrong_type", JsonPath.Key(path, "when"), $"\"when\" must be the name of a branch, but it is {when.Describe()}");
        return null;
    }

    private RetryPolicy? ReadRetry(JsonElement retry, string path)
    {
        if (retry.ValueKind == JsonValueKind.Null) return null;
        if (retry.ValueKind != JsonValueKind.Object)
        {
            problems.Error("wrong_type", path, $"\"retry\" must be an object such as {{\"max_attempts\": 3}}, but it is {retry.Describe()}");
            return null;
        }

        ReportUnknown(retry, path, ["max_attempts", "initial_delay", "backoff", "max_delay", "jitter"], [], "a retry policy");
        var standard = new RetryPolicy();
        return new RetryPolicy
        {
            MaxAttempts = (int)Number(retry, "max_attempts", path, standard.MaxAttempts, 1, 100, whole: true),
            InitialDelay = Duration(retry, "initial_delay", path) ?? standard.InitialDelay,
            Backoff = Number(retry, "backoff", path, standard.Backoff, 1, 100, whole: false),
            MaxDelay = Duration(retry, "max_delay", path) ?? standard.MaxDelay,
            Jitter = Number(retry, "jitter", path, standard.Jitter, 0, 1, whole: false),
        };
    }

    /// <summary>A missing name stays empty: the validator says so once, for every dialect.</summary>
    private string NameField(JsonElement item, string field, string path)
    {
        if (!item.TryGet(field, out var value) || value.ValueKind == JsonValueKind.Null) return "";
        if (value.ValueKind == JsonValueKind.String) return value.GetString()!;
        problems.Error("wrong_type", JsonPath.Key(path, field), $"\"{field}\" must be a string, but it is {value.Describe()}");
        return value.ValueKind == JsonValueKind.Number ? value.GetRawText() : "";
    }

    private TimeSpan? Duration(JsonElement item, string field, string path)
    {
        if (!item.TryGet(field, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        if (DurationText.TryRead(value, out var duration)) return duration;
        problems.Error("wrong_type", JsonPath.Key(path, field), $"\"{field}\" must be {DurationText.Expected}");
        return null;
    }

    private double Number(JsonElement item, string field, string path, double standard, double least, double most, bool whole)
    {
        if (!item.TryGet(field, out var value) || value.ValueKind == JsonValueKind.Null) return standard;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number >= least && number <= most
            && (!whole || Math.Floor(number) == number))
            return number;
        problems.Error("wrong_value", JsonPath.Key(path, field), $"\"{field}\" must be a {(whole ? "whole " : "")}number from {least} to {most}");
        return standard;
    }

    private bool Flag(JsonElement item, string field, string path)
    {
        if (!item.TryGet(field, out var value) || value.ValueKind is JsonValueKind.Null or JsonValueKind.False) return false;
        if (value.ValueKind == JsonValueKind.True) return true;
        problems.Error("wrong_type", JsonPath.Key(path, field), $"\"{field}\" must be true or false, but it is {value.Describe()}");
        return false;
    }

    private T Choice<T>(JsonElement item, string field, string path, T standard, (string Word, T Value)[] choices)
    {
        if (!item.TryGet(field, out var value) || value.ValueKind == JsonValueKind.Null) return standard;
        var text = value.Scalar();
        foreach (var (word, choice) in choices)
        {
            if (string.Equals(word, text, StringComparison.Ordinal)) return choice;
        }

        var words = choices.Select(static choice => choice.Word).ToArray();
        var close = text is null ? null : Suggestions.Closest(text, words);
        var message = $"\"{field}\" must be one of {string.Join(", ", words)}{Suggestions.Ask(close)}";
        problems.Error("wrong_value", JsonPath.Key(path, field), message, close);
        return standard;
    }

    private void ReportUnknown(JsonElement item, string path, string[] known, string[] ignored, string what)
    {
        foreach (var property in item.EnumerateObject())
        {
            var name = property.Name;
            if (known.Contains(name) || ignored.Contains(name)) continue;
            var close = Suggestions.Closest(name, known);
            problems.Warn("unknown_field", JsonPath.Key(path, name), $"{what} has no field '{name}'; it is ignored{Suggestions.Ask(close)}", close);
        }
    }
}

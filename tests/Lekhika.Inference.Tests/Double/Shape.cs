using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Lekhika.Inference.Tests.Double;

/// <summary>
/// The shape of a body: field names in order with their JSON types. Values stay where they are part of the protocol: model, role, done,
/// done_reason, status, object, finish_reason, capabilities and error texts (with digits made equal).
/// </summary>
public static partial class Shape
{
    private static readonly HashSet<string> Protocol =
        ["model", "done_reason", "role", "status", "object", "finish_reason", "type", "owned_by", "system_fingerprint"];

    public static string Of(string contentType, string body)
    {
        if (contentType.StartsWith("application/x-ndjson", StringComparison.Ordinal))
            return Lines(body.Split('\n').Where(line => line.Length > 0).Select(Json));
        if (contentType.StartsWith("text/event-stream", StringComparison.Ordinal))
            return Lines(body.Split("\n\n").Where(line => line.Length > 0).Select(line => line == "data: [DONE]" ? line : "data: " + Json(line["data: ".Length..])));
        return contentType.StartsWith("application/json", StringComparison.Ordinal) ? Json(body) : body;
    }

    /// <summary>Equal lines in a row count as one: how many tokens there were is no matter of shape.</summary>
    private static string Lines(IEnumerable<string> lines)
    {
        var all = new List<string>();
        foreach (var line in lines)
        {
            if (all.Count == 0 || all[^1] != line)
                all.Add(line);
        }
        return string.Join('\n', all);
    }

    private static string Json(string text)
    {
        if (text.Length == 0)
            return "";
        var shape = new StringBuilder();
        using var document = JsonDocument.Parse(text);
        Write(shape, document.RootElement, "");
        return shape.ToString();
    }

    private static void Write(StringBuilder shape, JsonElement value, string name)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                shape.Append('{');
                foreach (var property in value.EnumerateObject())
                {
                    shape.Append(property.Name).Append(':');
                    Write(shape, property.Value, property.Name);
                    shape.Append(' ');
                }
                shape.Append('}');
                break;
            case JsonValueKind.Array:
                var members = value.EnumerateArray().Select(member =>
                {
                    var inner = new StringBuilder();
                    Write(inner, member, name == "capabilities" ? "status" : "");
                    return inner.ToString();
                });
                shape.Append('[').AppendJoin('|', members.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)).Append(']');
                break;
            case JsonValueKind.String when name is "error" or "message" || Protocol.Contains(name):
                var text = value.GetString()!;
                // Names and digests of a listing differ with the models; those of a reply do not.
                shape.Append('"').Append(Digest().Replace(name == "model" && text.EndsWith(":latest", StringComparison.Ordinal) ? "*" : Digits().Replace(text, "#"), "*")).Append('"');
                break;
            case JsonValueKind.True or JsonValueKind.False:
                shape.Append(value.GetRawText());
                break;
            default:
                shape.Append(value.ValueKind);
                break;
        }
    }

    [GeneratedRegex("[0-9]+", RegexOptions.None, 1000)]
    private static partial Regex Digits();

    [GeneratedRegex("sha#:[#a-f]+", RegexOptions.None, 1000)]
    private static partial Regex Digest();
}

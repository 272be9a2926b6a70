using System.Globalization;
using System.Text.Json;
using Lekhika.Workflows;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>
/// The beginning: checks the inputs against the fields that the workflow declares, fills in defaults, and gives them on. Everything wrong is said at
/// once. Values that a form sends as text are read as what the field is: "12" for a number, "true" for a boolean.
/// </summary>
internal sealed class TriggerRunner : INodeRunner
{
    public ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        if (!call.Config.TryGetProperty("fields", out var fields) || fields.ValueKind != JsonValueKind.Array)
        {
            return ValueTask.FromResult<NodeOutcome>(new NodeSucceeded(call.Run.Inputs));
        }

        var faults = new List<string>();
        var read = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var field in fields.EnumerateArray()) Read(field, call.Run.Inputs, read, faults);
        if (faults.Count > 0)
        {
            return ValueTask.FromResult<NodeOutcome>(new NodeFailed(ErrorCodes.InvalidInput, "inputs: " + string.Join("; ", faults) + "."));
        }

        return ValueTask.FromResult<NodeOutcome>(new NodeSucceeded(JsonConstants.Object(writer =>
        {
            foreach (var given in call.Run.Inputs.EnumerateObject())
            {
                if (!read.ContainsKey(given.Name)) given.WriteTo(writer);
            }

            foreach (var (name, value) in read)
            {
                writer.WritePropertyName(name);
                value.WriteTo(writer);
            }
        })));
    }

    private static void Read(JsonElement field, JsonElement inputs, Dictionary<string, JsonElement> read, List<string> faults)
    {
        if (field.ValueKind != JsonValueKind.Object || !field.TryGetProperty("name", out var named) || named.GetString() is not { Length: > 0 } name) return;
        var type = Text(field, "type") ?? "any";
        var given = inputs.TryGetProperty(name, out var value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined)
            && !(value.ValueKind == JsonValueKind.String && value.GetString()!.Length == 0);
        if (!given)
        {
            if (field.TryGetProperty("default", out var standard) && standard.ValueKind != JsonValueKind.Null) read[name] = standard;
            else if (field.TryGetProperty("required", out var required) && required.ValueKind == JsonValueKind.True) faults.Add($"'{name}' is missing (expected {Expected(type)})");
            return;
        }

        if (Convert(value, type) is not { } converted)
        {
            faults.Add($"'{name}' must be {Expected(type)}, but is {Describe(value)}");
            return;
        }

        if (field.TryGetProperty("options", out var options) && options.ValueKind == JsonValueKind.Array && options.GetArrayLength() > 0
            && !IsAmong(converted, options))
        {
            faults.Add($"'{name}' must be one of {string.Join(", ", options.EnumerateArray().Select(OptionText))}, but is {Describe(value)}");
            return;
        }

        read[name] = converted;
    }

    private static JsonElement? Convert(JsonElement value, string type) => type switch
    {
        "number" => value.ValueKind == JsonValueKind.Number ? value
            : value.ValueKind == JsonValueKind.String && double.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
                ? Parse(value.GetString()!.Trim()) ?? Parse(number.ToString("R", CultureInfo.InvariantCulture)) : null,
        "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _) ? value
            : value.ValueKind == JsonValueKind.String && long.TryParse(value.GetString(), NumberStyles.Integer, CultureInfo.InvariantCulture, out var integer)
                ? Parse(integer.ToString(CultureInfo.InvariantCulture)) : null,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value
            : value.ValueKind == JsonValueKind.String && bool.TryParse(value.GetString(), out var flag) ? (flag ? JsonConstants.True : JsonConstants.False) : null,
        "object" => value.ValueKind == JsonValueKind.Object ? value : null,
        "array" => value.ValueKind == JsonValueKind.Array ? value : null,
        "string" or "text" or "textarea" => value.ValueKind is JsonValueKind.String ? value
            : value.ValueKind is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False ? Parse("\"" + value.GetRawText() + "\"") : null,
        _ => value,
    };

    private static bool IsAmong(JsonElement value, JsonElement options)
    {
        // A field with several choices gives an array of them.
        if (value.ValueKind == JsonValueKind.Array) return value.EnumerateArray().All(item => IsAmong(item, options));
        var text = OptionText(value);
        return options.EnumerateArray().Any(option => OptionText(option) == text);
    }

    private static string OptionText(JsonElement option) => option.ValueKind switch
    {
        JsonValueKind.String => option.GetString()!,
        JsonValueKind.Object when option.TryGetProperty("value", out var value) => OptionText(value),
        _ => option.GetRawText(),
    };

    private static string Expected(string type) => type switch
    {
        "string" or "text" or "textarea" => "a text",
        "number" => "a number",
        "integer" => "a whole number",
        "boolean" => "true or false",
        "object" => "an object",
        "array" => "an array",
        "select" => "one of its options",
        _ => "a value",
    };

    private static string Describe(JsonElement value)
    {
        var raw = value.GetRawText();
        return raw.Length <= 60 ? raw : raw[..60] + "…";
    }

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static JsonElement? Parse(string json)
    {
        try
        {
            return JsonConstants.Parse(System.Text.Encoding.UTF8.GetBytes(json));
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

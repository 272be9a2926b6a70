using System.Text.Json;

namespace Lekhika.Doubles;

/// <summary>Typed fields of a request, with Go's words when the type does not fit.</summary>
/// <param name="Body">The whole body.</param>
/// <param name="Struct">The Go name of the request, as its errors print it.</param>
internal readonly record struct GoFields(JsonElement Body, string Struct)
{
    public static GoFields Of(JsonElement body, string structure) => body.ValueKind switch
    {
        JsonValueKind.Object or JsonValueKind.Null => new GoFields(body, structure),
        _ => throw new ApiException(400, $"json: cannot unmarshal {Kind(body)} into Go value of type api.{structure}"),
    };

    public JsonElement Get(string name) =>
        Body.ValueKind == JsonValueKind.Object && Body.TryGetProperty(name, out var value) ? value : default;

    public bool Has(string name) => Get(name).ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null);

    public string Text(string name)
    {
        var value = Get(name);
        return value.ValueKind switch
        {
            JsonValueKind.Undefined or JsonValueKind.Null => "",
            JsonValueKind.String => value.GetString()!,
            _ => throw Wrong(value, name, "string"),
        };
    }

    public bool? Flag(string name)
    {
        var value = Get(name);
        return value.ValueKind switch
        {
            JsonValueKind.Undefined or JsonValueKind.Null => null,
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Wrong(value, name, "bool"),
        };
    }

    public int? Whole(string name) => Get(name) is { ValueKind: JsonValueKind.Number } value ? (int)value.GetDouble() : null;

    public IReadOnlyList<JsonElement> List(string name, string type)
    {
        var value = Get(name);
        return value.ValueKind switch
        {
            JsonValueKind.Undefined or JsonValueKind.Null => [],
            JsonValueKind.Array => [.. value.EnumerateArray()],
            _ => throw Wrong(value, name, type),
        };
    }

    public JsonElement Map(string name, string type)
    {
        var value = Get(name);
        return value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null or JsonValueKind.Object ? value : throw Wrong(value, name, type);
    }

    public ApiException Wrong(JsonElement value, string field, string type) =>
        new(400, $"json: cannot unmarshal {Kind(value)} into Go struct field {Struct}.{field} of type {type}");

    public static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.Number => "number",
        JsonValueKind.True or JsonValueKind.False => "bool",
        _ => "null",
    };
}

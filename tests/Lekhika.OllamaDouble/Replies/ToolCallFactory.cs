using System.Text.Json;

namespace Lekhika.Doubles;

/// <summary>Tool calls: scripted, found in a reply that is a call in JSON, or made because the prompt names a tool.</summary>
internal static class ToolCallFactory
{
    private const string IdLetters = "abcdefghijklmnopqrstuvwxyz0123456789";

    public static WireToolCall Of(string name, string arguments, int index, StableRandom random)
    {
        var id = new char[8];
        for (var i = 0; i < id.Length; i++)
            id[i] = IdLetters[random.Next(IdLetters.Length)];
        return new WireToolCall("call_" + new string(id), new WireFunction(index, name, JsonElement.Parse(arguments)));
    }

    public static IReadOnlyList<WireToolCall>? FromText(string text, IReadOnlyList<JsonElement> tools, StableRandom random)
    {
        JsonElement call;
        try
        {
            call = JsonElement.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
        if (call.ValueKind != JsonValueKind.Object || !call.TryGetProperty("name", out var name) || name.ValueKind != JsonValueKind.String
            || !Named(tools, name.GetString()!))
            return null;
        return (call.TryGetProperty("parameters", out var arguments) || call.TryGetProperty("arguments", out arguments))
            && arguments.ValueKind == JsonValueKind.Object
            ? [Of(name.GetString()!, arguments.GetRawText(), 0, random)]
            : null;
    }

    /// <summary>Calls every tool whose name stands in the text, once the last word is the user's.</summary>
    public static IReadOnlyList<WireToolCall>? FromPrompt(CompletionRequest request, StableRandom random)
    {
        if (!string.Equals(request.LastRole, "user", StringComparison.Ordinal))
            return null;
        var calls = new List<WireToolCall>();
        foreach (var tool in request.Tools)
        {
            if (Function(tool) is { } function && request.Text.Contains(function.Name, StringComparison.Ordinal) && function.Name.Length > 1)
                calls.Add(Of(function.Name, Arguments(function.Parameters, random), calls.Count, random));
        }
        return calls.Count > 0 ? calls : null;
    }

    /// <summary>The given number of calls of the first tools, or of an invented one.</summary>
    public static IReadOnlyList<WireToolCall> Some(CompletionRequest request, int count, StableRandom random)
    {
        var functions = request.Tools.Select(Function).OfType<(string Name, JsonElement Parameters)>().ToList();
        if (functions.Count == 0)
            functions.Add(("lookup", JsonElement.Parse("""{"type":"object","properties":{"term":{"type":"string"}},"required":["term"]}""")));
        return [.. Enumerable.Range(0, count).Select(index =>
            Of(functions[index % functions.Count].Name, Arguments(functions[index % functions.Count].Parameters, random), index, random))];
    }

    private static string Arguments(JsonElement parameters, StableRandom random) =>
        parameters.ValueKind == JsonValueKind.Object && parameters.TryGetProperty("type", out _) ? SchemaReply.Write(parameters, random) : "{}";

    private static bool Named(IReadOnlyList<JsonElement> tools, string name) =>
        tools.Any(tool => Function(tool) is { } function && string.Equals(function.Name, name, StringComparison.Ordinal));

    private static (string Name, JsonElement Parameters)? Function(JsonElement tool) =>
        tool.ValueKind == JsonValueKind.Object && tool.TryGetProperty("function", out var function) && function.ValueKind == JsonValueKind.Object
        && function.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String
            ? (name.GetString()!, function.TryGetProperty("parameters", out var parameters) ? parameters : default)
            : null;
}

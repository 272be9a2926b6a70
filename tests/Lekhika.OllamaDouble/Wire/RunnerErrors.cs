using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lekhika.Doubles;

/// <summary>Errors of the runner below the server: their JSON is passed on as the text of the server's error.</summary>
internal static class RunnerErrors
{
    public static ApiException Nested(int code, string type, string message, params (string Name, int Value)[] more)
    {
        var error = new JsonObject { ["code"] = code, ["message"] = message, ["type"] = type };
        foreach (var (name, value) in more)
            error[name] = value;
        return new ApiException(code, new JsonObject { ["error"] = error }.ToJsonString(Plain));
    }

    public static ApiException TooLong(int tokens, int context) => Nested(
        400,
        "exceed_context_size_error",
        string.Create(CultureInfo.InvariantCulture, $"request ({tokens} tokens) exceeds the available context size ({context} tokens), try increasing it"),
        ("n_prompt_tokens", tokens),
        ("n_ctx", context));

    private static JsonSerializerOptions Plain => WireJson.Go.Options;
}

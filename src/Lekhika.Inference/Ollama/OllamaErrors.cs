using System.Net.Http.Headers;
using Lekhika.Inference.Endpoints;

namespace Lekhika.Inference.Ollama;

/// <summary>
/// What Ollama's errors mean. The status alone does not say: a wrong option is a 500 like a runner that died, so a 500 is judged by its text
/// (texts as recorded from a server, version 0.32).
/// </summary>
internal static class OllamaErrors
{
    // The request or the model file is at fault: the same request fails again.
    private static readonly string[] Refusals =
    [
        "option \"", "invalid option", "invalid format", "template:", "does not support", "not supported", "unsupported", "tensor \"",
        "unknown model architecture", "unable to load model", "invalid file magic", "invalid model", "error loading model", "gguf",
        "exceed_context_size", "exceeds the available context size", "json schema", "grammar",
    ];

    /// <summary>An error reply before the stream.</summary>
    public static ModelException FromStatus(int status, string text, bool json, string model, string label, RetryConditionHeaderValue? retryAfter)
    {
        var at = $"Endpoint {label}, model '{model}'";
        return status switch
        {
            404 when json => NotFound(model, label, text),
            404 or 405 => Make(ModelFailure.Refused, $"Endpoint {label} has no /api/chat ({status}: {text}). Is it an Ollama server, and is the path right?"),
            401 => Make(ModelFailure.Refused, $"{at}: the server wants credentials (401: {text})."),
            403 when !json => Make(
                ModelFailure.Refused,
                $"{at}: the server refuses this host name or origin (403). Use the address it listens on, or set OLLAMA_HOST and OLLAMA_ORIGINS there."),
            408 or 429 or 499 or 502 or 503 or 504 => Make(ModelFailure.Unavailable, $"{at}: the server is busy or not ready ({status}: {text}).", fault: true),
            < 500 => Make(ModelFailure.Refused, $"{at}: the request was refused ({status}: {text})."),
            _ => FromText(text, model, label, status),
        };

        ModelException Make(ModelFailure failure, string message, bool fault = false) =>
            new(failure, message) { Status = status, EndpointFault = fault, RetryAfter = retryAfter?.Delta };
    }

    /// <summary>An error judged by its text: a 500, or an error line in the stream.</summary>
    public static ModelException FromText(string text, string model, string label, int? status)
    {
        var where = status is { } code ? $"({code}: {text})" : $"in the middle of the reply: {text}";
        if (text.Contains("not found", StringComparison.OrdinalIgnoreCase) && text.Contains("model", StringComparison.OrdinalIgnoreCase))
            return NotFound(model, label, text);
        if (text.Contains("system memory", StringComparison.OrdinalIgnoreCase) || text.Contains("out of memory", StringComparison.OrdinalIgnoreCase))
        {
            return new ModelException(
                ModelFailure.Unavailable,
                $"Endpoint {label}, model '{model}': not enough memory {where}. A smaller model or a smaller num_ctx needs less.")
            { Status = status };
        }

        foreach (var refusal in Refusals)
        {
            if (text.Contains(refusal, StringComparison.OrdinalIgnoreCase))
                return new ModelException(ModelFailure.Refused, $"Endpoint {label}, model '{model}': the request was refused {where}.") { Status = status };
        }

        return new ModelException(ModelFailure.Broken, $"Endpoint {label}, model '{model}': the server failed {where}.") { Status = status };
    }

    private static ModelException NotFound(string model, string label, string text) =>
        new(ModelFailure.NotFound, $"Endpoint {label} does not have model '{model}' ({text}). Install it there with: ollama pull {model}") { Status = 404 };
}

using System.Net.Http.Headers;

namespace Lekhika.Inference.OpenAi;

/// <summary>What the errors of OpenAI-compatible servers mean.</summary>
internal static class OpenAiErrors
{
    public static ModelException FromStatus(int status, string text, bool json, string model, string label, RetryConditionHeaderValue? retryAfter)
    {
        var at = $"Endpoint {label}, model '{model}'";
        return status switch
        {
            401 or 403 => Make(ModelFailure.Refused, $"{at}: the server refuses the credentials ({status}). Check the API key of this endpoint."),
            404 when json => Make(ModelFailure.NotFound, $"Endpoint {label} does not have model '{model}' (404: {text})."),
            404 or 405 => Make(ModelFailure.Refused, $"Endpoint {label} has no chat/completions ({status}: {text}). Is the address right?"),
            408 or 409 or 425 or 429 or 502 or 503 or 504 or 529 => Make(
                ModelFailure.Unavailable, $"{at}: the server is busy or not ready ({status}: {text}).", fault: true),
            < 500 => Make(ModelFailure.Refused, $"{at}: the request was refused ({status}: {text})."),
            _ => Make(ModelFailure.Broken, $"{at}: the server failed ({status}: {text})."),
        };

        ModelException Make(ModelFailure failure, string message, bool fault = false) =>
            new(failure, message) { Status = status, EndpointFault = fault, RetryAfter = retryAfter?.Delta };
    }
}

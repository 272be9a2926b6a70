using System.Globalization;
using System.Text;
using System.Text.Json;
using Lekhika.Inference.Endpoints;

namespace Lekhika.Inference.Lanes;

/// <summary>What requests have to share to be answered by one loaded model: its name, and the options that make the server load it anew.</summary>
/// <param name="Model">The name in its one spelling.</param>
/// <param name="Runner">The runner options, such as <c>num_ctx=4096</c>; empty if none is set.</param>
internal readonly record struct LaneKey(string Model, string Runner)
{
    // Options that Ollama gives to the runner when it starts; a change of any of them is a reload.
    private static readonly string[] RunnerOptions = ["draft_num_predict", "main_gpu", "num_batch", "num_ctx", "num_gpu", "num_thread", "use_mmap"];

    /// <summary>The model and what sets it apart, as one text.</summary>
    public override string ToString() => Runner.Length == 0 ? Model : $"{Model} {Runner}";

    public static LaneKey Of(ModelEndpointKind kind, ModelRequest request) =>
        new(ModelNames.Normalize(kind, request.Model), kind == ModelEndpointKind.Ollama ? RunnerOf(request) : "");

    private static string RunnerOf(ModelRequest request)
    {
        if (request.Options is not { ValueKind: JsonValueKind.Object } options)
            return request.ContextTokens is { } only ? string.Create(CultureInfo.InvariantCulture, $"num_ctx={only}") : "";
        var text = new StringBuilder();
        foreach (var name in RunnerOptions)
        {
            string value;
            if (name == "num_ctx" && request.ContextTokens is { } context)
                value = context.ToString(CultureInfo.InvariantCulture);
            else if (options.TryGetProperty(name, out var given))
                value = given.GetRawText();
            else
                continue;
            text.Append(text.Length == 0 ? "" : " ").Append(name).Append('=').Append(value);
        }

        return text.ToString();
    }
}

using Lekhika.Inference.Endpoints;
using Lekhika.Inference.Ollama;
using Lekhika.Inference.Tests.Support;
using Xunit;

namespace Lekhika.Inference.Tests.Ollama;

/// <summary>One attempt against a scripted server.</summary>
internal static class OllamaCalls
{
    public const string Last =
        """{"model":"m","created_at":"2026-11-22T02:43:04.448000353Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":9977694,"load_duration":1183135,"prompt_eval_count":46,"prompt_eval_duration":720000,"eval_count":16,"eval_duration":4930000}""";

    public static string Line(string text) =>
        $$$"""{"model":"m","created_at":"2026-11-22T02:43:04.442899447Z","message":{"role":"assistant","content":"{{{text}}}"},"done":false}""";

    public static OllamaProvider Provider(Uri url, ModelPoolOptions? options = null, TimeProvider? time = null) =>
        new(new ModelEndpointOptions { Name = "local", BaseUrl = url }, options ?? new ModelPoolOptions(), time ?? TimeProvider.System);

    public static async Task<ModelReply> CallAsync(
        Func<Exchange, Task> script, ModelRequest? request = null, IModelSink? sink = null, ModelPoolOptions? options = null)
    {
        await using var server = new ScriptedServer(script);
        using var provider = Provider(server.Url, options);
        return await provider.CallAsync(
            request ?? Requests.For(), TimeSpan.FromMinutes(1), sink ?? new RecordingSink(), TestContext.Current.CancellationToken);
    }

    public static Task<ModelException> FailAsync(Func<Exchange, Task> script, ModelRequest? request = null, ModelPoolOptions? options = null) =>
        Assert.ThrowsAsync<ModelException>(() => CallAsync(script, request, options: options));
}

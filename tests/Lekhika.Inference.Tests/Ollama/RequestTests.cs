using System.Text.Json;
using Lekhika.Inference.Tests.Support;
using Xunit;
using static Lekhika.Inference.Tests.Ollama.OllamaCalls;

namespace Lekhika.Inference.Tests.Ollama;

public sealed class RequestTests
{
    [Fact]
    public async Task Everything_asked_for_is_sent()
    {
        var body = await BodyAsync(new ModelRequest
        {
            Model = "qwen2.5:7b",
            Messages = [new("system", "शान्त"), new("user", "say \"hi\"\n")],
            Format = Requests.Json("""{"type":"object"}"""),
            Temperature = 0.5,
            MaxTokens = 100,
            ContextTokens = 4096,
            Stop = ["END"],
            Think = Requests.Json("\"low\""),
            Options = Requests.Json("""{"seed":7,"num_ctx":1,"mirostat":2}"""),
        }, """{"message":{"content":"{}"},"done":true}""");

        Assert.Equal(
            """{"model":"qwen2.5:7b","messages":[{"role":"system","content":"शान्त"},{"role":"user","content":"say \"hi\"\n"}],"stream":true,"format":{"type":"object"},"think":"low","keep_alive":"5m","options":{"temperature":0.5,"num_predict":100,"num_ctx":4096,"stop":["END"],"seed":7,"mirostat":2}}""",
            body);
    }

    [Fact]
    public async Task What_is_not_set_is_left_to_the_model()
    {
        var body = await BodyAsync(Requests.For(), Last);

        Assert.Equal("""{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true,"keep_alive":"5m","options":{}}""", body);
    }

    [Theory]
    [InlineData("-1", "-1")]
    [InlineData("300", "300")]
    [InlineData("10m", "\"10m\"")]
    public async Task Keep_alive_is_a_number_or_a_duration_but_never_a_number_in_quotes(string given, string sent)
    {
        var body = await BodyAsync(Requests.For(), Last, new ModelPoolOptions { KeepAlive = given });

        using var json = JsonDocument.Parse(body);
        Assert.Equal(sent, json.RootElement.GetProperty("keep_alive").GetRawText());
    }

    [Fact]
    public async Task A_path_in_the_address_is_kept()
    {
        var path = "";
        await using var server = new ScriptedServer(exchange =>
        {
            path = exchange.Path;
            return exchange.StreamAsync(Last);
        });
        using var provider = Provider(new Uri(server.Url, "/behind/proxy"));

        await provider.CallAsync(Requests.For(), TimeSpan.FromMinutes(1), new RecordingSink(), TestContext.Current.CancellationToken);

        Assert.Equal("/behind/proxy/api/chat", path);
    }

    [Fact]
    public async Task Version_models_and_what_is_loaded_can_be_asked()
    {
        await using var server = new ScriptedServer(_ => Task.CompletedTask) { Models = ["a:latest", "b:7b"], Loaded = ["b:7b"] };
        using var provider = Provider(server.Url);

        Assert.Equal("0.32.15", await provider.VersionAsync(TestContext.Current.CancellationToken));
        Assert.Equal(["a:latest", "b:7b"], (await provider.ListModelsAsync(TestContext.Current.CancellationToken))!.Value.Select(model => model.Name));
        Assert.Equal(["b:7b"], (await provider.ListLoadedAsync(TestContext.Current.CancellationToken)).Select(model => model.Name));
    }

    private static async Task<string> BodyAsync(ModelRequest request, string reply, ModelPoolOptions? options = null)
    {
        var body = "";
        await CallAsync(
            exchange =>
            {
                body = exchange.Body;
                return exchange.StreamAsync(reply);
            },
            request,
            options: options);
        return body;
    }
}

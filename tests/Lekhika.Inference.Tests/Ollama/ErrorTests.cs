using Lekhika.Inference.Tests.Support;
using Xunit;
using static Lekhika.Inference.Tests.Ollama.OllamaCalls;

namespace Lekhika.Inference.Tests.Ollama;

public sealed class ErrorTests
{
    [Theory]
    [InlineData(400, "model is required", ModelFailure.Refused)]
    [InlineData(400, "{\\\"error\\\":{\\\"code\\\":400,\\\"message\\\":\\\"request (2241 tokens) exceeds the available context size\\\"}}", ModelFailure.Refused)]
    [InlineData(401, "unauthorized", ModelFailure.Refused)]
    [InlineData(403, "ollama cloud is disabled: remote model is unavailable", ModelFailure.Refused)]
    [InlineData(404, "model 'm' not found", ModelFailure.NotFound)]
    [InlineData(404, "model \\\"m\\\" not found, try pulling it first", ModelFailure.NotFound)]
    [InlineData(500, "option \\\"temperature\\\" must be of type float32", ModelFailure.Refused)]
    [InlineData(500, "invalid format: \\\"7\\\"; expected \\\"json\\\" or a valid JSON Schema object", ModelFailure.Refused)]
    [InlineData(500, "template: :1: unclosed action", ModelFailure.Refused)]
    [InlineData(500, "tensor \\\"blk.2.ffn_down.weight\\\" offset+size (733664) exceeds file size (700000)", ModelFailure.Refused)]
    [InlineData(500, "an error was encountered while running the model: unexpected EOF", ModelFailure.Broken)]
    [InlineData(500, "llama runner process has terminated: signal: killed", ModelFailure.Broken)]
    [InlineData(500, "something nobody has seen yet", ModelFailure.Broken)]
    [InlineData(500, "model requires more system memory (9 GiB) than is available (4 GiB)", ModelFailure.Unavailable)]
    [InlineData(503, "server busy, please try again.  maximum pending requests exceeded", ModelFailure.Unavailable)]
    [InlineData(502, "bad gateway", ModelFailure.Unavailable)]
    public async Task A_status_and_its_text_decide_the_failure(int status, string text, ModelFailure expected)
    {
        var failure = await FailAsync(exchange => exchange.ReplyAsync(status, $$"""{"error":"{{text}}"}"""));

        Assert.Equal(expected, failure.Failure);
        Assert.Equal(status, failure.Status);
        Assert.Equal(expected is ModelFailure.Broken or ModelFailure.Unavailable, failure.Repeatable);
        Assert.Contains("local (http://127.0.0.1:", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_model_names_model_endpoint_and_the_cure()
    {
        var failure = await FailAsync(exchange => exchange.ReplyAsync(404, """{"error":"model 'qwen2.5:7b' not found"}"""), Requests.For("qwen2.5:7b"));

        Assert.Contains("'qwen2.5:7b'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("ollama pull qwen2.5:7b", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_route_is_not_a_missing_model()
    {
        var failure = await FailAsync(exchange => exchange.ReplyAsync(404, "404 page not found"));

        Assert.Equal(ModelFailure.Refused, failure.Failure);
        Assert.Contains("Is it an Ollama server", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_host_says_what_to_set()
    {
        var failure = await FailAsync(exchange => exchange.ReplyAsync(403, ""));

        Assert.Equal(ModelFailure.Refused, failure.Failure);
        Assert.Contains("OLLAMA_ORIGINS", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nested_errors_are_unwrapped_for_people()
    {
        var failure = await FailAsync(exchange => exchange.ReplyAsync(
            400, """{"error":"{\"error\":{\"code\":400,\"message\":\"JSON schema conversion failed\",\"type\":\"invalid_request_error\"}}"}"""));

        Assert.Contains("(400: JSON schema conversion failed)", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_listening_is_unavailable_and_the_endpoints_fault()
    {
        Uri url;
        await using (var server = new ScriptedServer(_ => Task.CompletedTask))
            url = server.Url;
        using var provider = Provider(url);

        var failure = await Assert.ThrowsAsync<ModelException>(() => provider.CallAsync(
            Requests.For(), TimeSpan.FromMinutes(1), new RecordingSink(), TestContext.Current.CancellationToken));

        Assert.Equal(ModelFailure.Unavailable, failure.Failure);
        Assert.True(failure.EndpointFault);
        Assert.True(failure.Repeatable);
    }

    [Fact]
    public async Task Credentials_of_the_address_are_sent_and_never_shown()
    {
        var head = "";
        await using var server = new ScriptedServer(exchange =>
        {
            head = exchange.Head;
            return exchange.ReplyAsync(400, """{"error":"no"}""");
        });
        using var provider = Provider(new UriBuilder(server.Url) { UserName = "ann", Password = "s3cret" }.Uri);

        var failure = await Assert.ThrowsAsync<ModelException>(() => provider.CallAsync(
            Requests.For(), TimeSpan.FromMinutes(1), new RecordingSink(), TestContext.Current.CancellationToken));

        Assert.Contains("Authorization: Basic YW5uOnMzY3JldA==", head, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", failure.Message + provider.Address, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelling_leaves_at_once_and_closes_the_connection()
    {
        using var cancel = new CancellationTokenSource();
        var left = new TaskCompletionSource();
        await using var server = new ScriptedServer(async exchange =>
        {
            await exchange.BeginAsync();
            await exchange.PieceAsync(Line("a") + "\n");
            await exchange.ClientLeavesAsync();
            left.SetResult();
        });
        using var provider = Provider(server.Url);
        var sink = new RecordingSink();

        var call = provider.CallAsync(Requests.For(), TimeSpan.FromMinutes(1), sink, cancel.Token);
        await sink.WaitForAsync("text a", TestContext.Current.CancellationToken);
        await cancel.CancelAsync();

        var exception = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.Equal(cancel.Token, exception.CancellationToken);
        await left.Task.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
    }
}

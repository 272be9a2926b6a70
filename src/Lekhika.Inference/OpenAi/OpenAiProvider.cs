using System.Collections.Immutable;
using System.Text.Json;
using Lekhika.Inference.Endpoints;

namespace Lekhika.Inference.OpenAi;

// The protocol that llama.cpp's server, vLLM, Ollama's /v1 and hosted services share.
//
//   POST /v1/chat/completions   server-sent events, one JSON object a data line. Success needs a finish_reason and the line "data: [DONE]".
//   GET /v1/models              what it has. A server without that page is taken to have whatever it is asked for.
//
// The key goes out as a bearer token and is part of no message. The server tells no times, so a reply has none but our own total.

/// <summary>An OpenAI-compatible server.</summary>
internal sealed class OpenAiProvider : IModelProvider
{
    private readonly ModelPoolOptions _options;
    private readonly TimeProvider _time;
    private readonly EndpointHttp _http;
    private readonly Uri _chat;

    public OpenAiProvider(ModelEndpointOptions endpoint, ModelPoolOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        _http = new EndpointHttp(endpoint, Versioned(endpoint.BaseUrl), options.Timeouts, time);
        _chat = new Uri(_http.Root, "chat/completions");
    }

    public string Address => _http.Address;

    public async Task<ModelReply> CallAsync(ModelRequest request, TimeSpan limit, IModelSink sink, CancellationToken cancellationToken)
    {
        using var clock = new CallClock(_time, _options.Timeouts, limit, cancellationToken);
        try
        {
            using var message = new HttpRequestMessage(HttpMethod.Post, _chat) { Content = OpenAiRequest.Body(request) };
            using var response = await _http.Client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, clock.Token);
            if (!response.IsSuccessStatusCode)
            {
                var body = await EndpointHttp.ReadBoundedAsync(response.Content, 64 * 1024, clock.Token);
                throw Error(response, body, request.Model);
            }

            var reply = new OpenAiReply(request, sink, _options.MaxReplyLength, _http.Label);
            await using var stream = await response.Content.ReadAsStreamAsync(clock.Token);
            await LineReader.PumpAsync(stream, reply, _options.MaxLineBytes, clock);
            return reply.Finish(clock.Elapsed);
        }
        catch (Exception exception) when (exception is not ModelException)
        {
            throw _http.Translate(exception, clock, $"model '{request.Model}'", cancellationToken);
        }
    }

    public async Task<ImmutableArray<ModelInfo>?> ListModelsAsync(CancellationToken cancellationToken)
    {
        var body = await _http.GetAsync(
            "models", _options.Timeouts.Control, (response, bytes) => Error(response, bytes, "-"), cancellationToken);
        if (body is null)
            return null;
        try
        {
            var list = JsonSerializer.Deserialize(body, EndpointJson.Default.OpenAiModelList);
            return list?.Data is { } data ? [.. data.Where(model => model.Id is { Length: > 0 }).Select(model => new ModelInfo(model.Id!))] : null;
        }
        catch (JsonException exception)
        {
            throw new ModelException(
                ModelFailure.Broken, $"Endpoint {_http.Label}: the reply of models is not what it should be: {exception.Message}", exception);
        }
    }

    public Task<ImmutableArray<ModelInfo>> ListLoadedAsync(CancellationToken cancellationToken) => Task.FromResult(ImmutableArray<ModelInfo>.Empty);

    public Task PreloadAsync(ModelRequest request, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<string> VersionAsync(CancellationToken cancellationToken) => Task.FromResult("");

    public void Dispose() => _http.Dispose();

    private static Uri Versioned(Uri root)
    {
        var named = root.Segments.Any(segment => segment is ['v', >= '0' and <= '9', ..]);
        return named ? root : new UriBuilder(root) { Path = root.AbsolutePath.TrimEnd('/') + "/v1" }.Uri;
    }

    private ModelException Error(HttpResponseMessage response, byte[] body, string model) => OpenAiErrors.FromStatus(
        (int)response.StatusCode, JsonPieces.ErrorText(body), body is [(byte)'{', ..], model, _http.Label, response.Headers.RetryAfter);
}

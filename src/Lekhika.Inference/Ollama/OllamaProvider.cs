using System.Collections.Immutable;
using System.Text.Json;
using Lekhika.Inference.Endpoints;

namespace Lekhika.Inference.Ollama;

// Ollama's own protocol.
//
//   POST /api/chat   one JSON object a line. No byte comes, not even headers, before the first token: a server that loads a model is silent.
//                    Success is a last object with "done": true. A clean end of the stream without it is a failure, however good the text looks.
//   errors           before the stream by status and text, inside it as an object {"error": …} under status 200.
//   GET /api/tags, /api/ps, /api/version   small questions for readiness, health and the choice of an endpoint.
//
// A caller that gives up closes the connection, which frees the server's slot at once.

/// <summary>An Ollama server.</summary>
internal sealed class OllamaProvider : IModelProvider
{
    private readonly ModelPoolOptions _options;
    private readonly TimeProvider _time;
    private readonly EndpointHttp _http;
    private readonly Uri _chat;

    public OllamaProvider(ModelEndpointOptions endpoint, ModelPoolOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        _http = new EndpointHttp(endpoint, endpoint.BaseUrl, options.Timeouts, time);
        _chat = new Uri(_http.Root, "api/chat");
    }

    public string Address => _http.Address;

    public async Task<ModelReply> CallAsync(ModelRequest request, TimeSpan limit, IModelSink sink, CancellationToken cancellationToken)
    {
        using var clock = new CallClock(_time, _options.Timeouts, limit, cancellationToken);
        try
        {
            using var message = new HttpRequestMessage(HttpMethod.Post, _chat) { Content = OllamaRequest.Body(request, _options.KeepAlive) };
            using var response = await _http.Client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, clock.Token);
            if (!response.IsSuccessStatusCode)
                throw await ErrorAsync(response, request.Model, clock.Token);
            var reply = new OllamaReply(request, sink, _options.MaxReplyLength, _http.Label);
            await using var stream = await response.Content.ReadAsStreamAsync(clock.Token);
            await LineReader.PumpAsync(stream, reply, _options.MaxLineBytes, clock);
            return reply.Finish(clock.Elapsed);
        }
        catch (Exception exception) when (exception is not ModelException)
        {
            throw _http.Translate(exception, clock, $"model '{request.Model}'", cancellationToken);
        }
    }

    public async Task<ImmutableArray<ModelInfo>?> ListModelsAsync(CancellationToken cancellationToken) => await ListAsync("api/tags", cancellationToken);

    public Task<ImmutableArray<ModelInfo>> ListLoadedAsync(CancellationToken cancellationToken) => ListAsync("api/ps", cancellationToken);

    public async Task PreloadAsync(ModelRequest request, CancellationToken cancellationToken)
    {
        using var clock = new CallClock(_time, _options.Timeouts, _options.Timeouts.FirstByte, cancellationToken);
        try
        {
            using var message = new HttpRequestMessage(HttpMethod.Post, _chat)
            {
                Content = OllamaRequest.Body(request with { Messages = [], Format = null, Think = null }, _options.KeepAlive, stream: false),
            };
            using var response = await _http.Client.SendAsync(message, HttpCompletionOption.ResponseContentRead, clock.Token);
            if (!response.IsSuccessStatusCode)
                throw await ErrorAsync(response, request.Model, clock.Token);
        }
        catch (Exception exception) when (exception is not ModelException)
        {
            throw _http.Translate(exception, clock, $"loading model '{request.Model}'", cancellationToken);
        }
    }

    public async Task<string> VersionAsync(CancellationToken cancellationToken)
    {
        var body = await GetAsync("api/version", cancellationToken);
        return Parse(body, "api/version", static bytes => JsonSerializer.Deserialize(bytes, EndpointJson.Default.OllamaVersion))?.Version ?? "";
    }

    public void Dispose() => _http.Dispose();

    private async Task<ImmutableArray<ModelInfo>> ListAsync(string path, CancellationToken cancellationToken)
    {
        var body = await GetAsync(path, cancellationToken);
        var list = Parse(body, path, static bytes => JsonSerializer.Deserialize(bytes, EndpointJson.Default.OllamaModelList));
        return
        [
            .. (list?.Models ?? [])
                .Select(model => new ModelInfo(model.Name ?? model.Model ?? "", model.Size, model.Digest ?? "", model.ContextLength))
                .Where(model => model.Name.Length > 0),
        ];
    }

    private async Task<byte[]> GetAsync(string path, CancellationToken cancellationToken)
    {
        var body = await _http.GetAsync(
            path,
            _options.Timeouts.Control,
            (response, bytes) => OllamaErrors.FromStatus(
                (int)response.StatusCode, JsonPieces.ErrorText(bytes), IsJson(bytes), "-", _http.Label, response.Headers.RetryAfter),
            cancellationToken);
        return body ?? throw new ModelException(ModelFailure.Refused, $"Endpoint {_http.Label} has no /{path}. Is it an Ollama server?");
    }

    private T? Parse<T>(byte[] body, string path, Func<byte[], T?> parse)
    {
        try
        {
            return parse(body);
        }
        catch (JsonException exception)
        {
            throw new ModelException(
                ModelFailure.Broken, $"Endpoint {_http.Label}: the reply of /{path} is not what it should be: {exception.Message}", exception);
        }
    }

    private async Task<ModelException> ErrorAsync(HttpResponseMessage response, string model, CancellationToken cancellationToken)
    {
        var body = await EndpointHttp.ReadBoundedAsync(response.Content, 64 * 1024, cancellationToken);
        return OllamaErrors.FromStatus(
            (int)response.StatusCode, JsonPieces.ErrorText(body), IsJson(body), model, _http.Label, response.Headers.RetryAfter);
    }

    private static bool IsJson(byte[] body) => body is [(byte)'{', ..];
}

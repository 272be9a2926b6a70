using System.Net;
using System.Text;
using System.Text.Json;
using Lekhika.Doubles;

namespace Lekhika.Inference.Tests.Double;

/// <summary>A reply with its parsed lines.</summary>
public sealed record DoubleReply(HttpStatusCode Status, string Body)
{
    public IReadOnlyList<JsonElement> Lines => [.. Body.Split('\n').Where(line => line.Length > 0).Select(line => JsonElement.Parse(line))];

    public JsonElement Last => Lines[^1];

    public string? Error => Last.TryGetProperty("error", out var error) ? error.GetString() : null;

    public long Duration(string name) => Last.TryGetProperty(name, out var duration) ? duration.GetInt64() : 0;

    public string Text => string.Concat(Lines.Select(line =>
        line.TryGetProperty("response", out var text) ? text.GetString()
        : line.TryGetProperty("message", out var message) ? message.GetProperty("content").GetString() : ""));
}

/// <summary>A plain HTTP client of a double, for tests of the double itself.</summary>
public sealed class DoubleClient(OllamaDouble ollama) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = ollama.BaseAddress, Timeout = Timeout.InfiniteTimeSpan };

    public HttpClient Http => _http;

    public async Task<DoubleReply> PostAsync(string path, string body, CancellationToken cancellationToken)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await _http.PostAsync(path, content, cancellationToken);
        return new DoubleReply(response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken));
    }

    public Task<DoubleReply> GenerateAsync(string model, CancellationToken cancellationToken, string prompt = "Once upon a time", string more = "") =>
        PostAsync("/api/generate", $$"""{"model":"{{model}}","prompt":{{JsonSerializer.Serialize(prompt)}},"stream":false{{more}}}""", cancellationToken);

    public Task<DoubleReply> ChatAsync(string model, string prompt, CancellationToken cancellationToken, string more = "") => PostAsync(
        "/api/chat", $$"""{"model":"{{model}}","messages":[{"role":"user","content":{{JsonSerializer.Serialize(prompt)}}}]{{more}}}""", cancellationToken);

    public Task<DoubleReply> LoadAsync(string model, CancellationToken cancellationToken) =>
        PostAsync("/api/generate", $$"""{"model":"{{model}}"}""", cancellationToken);

    /// <summary>Opens a stream and returns once the headers are there.</summary>
    public async Task<OpenStream> StreamAsync(string model, CancellationToken cancellationToken, string more = "")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/generate")
        {
            Content = new StringContent($$"""{"model":"{{model}}","prompt":"Once upon a time"{{more}}}""", Encoding.UTF8, "application/json"),
        };
        var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        return new OpenStream(response, new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken)));
    }

    public async Task<JsonElement[]> LoadedAsync(CancellationToken cancellationToken)
    {
        var text = await _http.GetStringAsync(new Uri("/api/ps", UriKind.Relative), cancellationToken);
        return [.. JsonElement.Parse(text).GetProperty("models").EnumerateArray()];
    }

    /// <summary>Asks again until the double says so; its counters are the signal.</summary>
    public static async Task UntilAsync(Func<bool> happened, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        while (!happened())
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, limit.Token);
    }

    public void Dispose() => _http.Dispose();
}

/// <summary>A streamed reply that is being read.</summary>
public sealed class OpenStream(HttpResponseMessage response, StreamReader reader) : IDisposable
{
    public HttpStatusCode Status => response.StatusCode;

    public ValueTask<string?> LineAsync(CancellationToken cancellationToken) => reader.ReadLineAsync(cancellationToken);

    public async Task<IReadOnlyList<JsonElement>> RestAsync(CancellationToken cancellationToken)
    {
        var lines = new List<JsonElement>();
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
            lines.Add(JsonElement.Parse(line));
        return lines;
    }

    public void Dispose()
    {
        reader.Dispose();
        response.Dispose();
    }
}

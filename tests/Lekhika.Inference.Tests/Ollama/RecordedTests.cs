using System.Globalization;
using System.Text;
using System.Text.Json;
using Lekhika.Inference.Endpoints;
using Lekhika.Inference.Ollama;
using Lekhika.Inference.OpenAi;
using Lekhika.Inference.Tests.Support;
using Xunit;

namespace Lekhika.Inference.Tests.Ollama;

/// <summary>Replies recorded from a real server, played back byte for byte.</summary>
public sealed class RecordedTests
{
    [Fact]
    public async Task Recorded_replies_are_understood_as_what_they_are()
    {
        var played = 0;
        foreach (var exchange in Recordings("/api/chat"))
        {
            var response = exchange.GetProperty("response");
            if (!response.TryGetProperty("status", out var status) || status.ValueKind != JsonValueKind.Number)
                continue;
            var text = Body(response);
            var complete = exchange.GetProperty("outcome").GetString() == "complete";
            var name = exchange.GetProperty("case").GetString();
            var (reply, failure) = await PlayAsync(status.GetInt32(), text, complete, openAi: false);
            played++;

            var objects = Objects(text);
            var done = objects.Any(item => item.TryGetProperty("done", out var flag) && flag.ValueKind == JsonValueKind.True);
            var error = objects.Any(item => item.TryGetProperty("error", out _));
            var generated = objects.Any(item => item.TryGetProperty("done_reason", out var reason) && reason.GetString() is "stop" or "length");
            var tool = text.Contains("tool_calls", StringComparison.Ordinal);
            if (status.GetInt32() == 200 && done && generated && !error && !tool)
            {
                Assert.True(failure is null, $"{name}: {failure?.Message}");
                Assert.Equal(string.Concat(objects.Select(item => Message(item, "content"))), reply!.Text);
                Assert.Equal(string.Concat(objects.Select(item => Message(item, "thinking"))), reply.Thinking);
                Assert.Equal(objects[^1].TryGetProperty("eval_count", out var count) ? count.GetInt32() : 0, reply.TokensOut);
            }
            else
                Assert.True(failure is not null, $"{name} was taken for a success: {reply?.Text}");
        }

        Assert.True(played > 20, $"only {played} recordings were played");
    }

    [Fact]
    public async Task Recorded_OpenAI_streams_are_understood_too()
    {
        var played = 0;
        foreach (var exchange in Recordings("/v1/chat/completions"))
        {
            var response = exchange.GetProperty("response");
            var text = Body(response);
            if (!text.StartsWith("data:", StringComparison.Ordinal))
                continue;
            var (reply, failure) = await PlayAsync(200, text, complete: true, openAi: true);
            played++;

            var whole = text.Contains("data: [DONE]", StringComparison.Ordinal) && !text.Contains("\"tool_calls\"", StringComparison.Ordinal);
            Assert.True(whole == reply is not null, $"{exchange.GetProperty("case")}: {failure?.Message}");
        }

        Assert.True(played >= 2, $"only {played} recordings were played");
    }

    private static async Task<(ModelReply? Reply, ModelException? Failure)> PlayAsync(int status, string text, bool complete, bool openAi)
    {
        await using var server = new ScriptedServer(async exchange =>
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            await exchange.RawAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status} X\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"));
            for (var at = 0; at < bytes.Length; at += 97)
                await exchange.PieceAsync(bytes.AsSpan(at, Math.Min(97, bytes.Length - at)));
            if (complete)
                await exchange.EndAsync();
        });
        var endpoint = new ModelEndpointOptions { Name = "recorded", BaseUrl = server.Url };
        using IModelProvider provider = openAi
            ? new OpenAiProvider(endpoint, new ModelPoolOptions(), TimeProvider.System)
            : new OllamaProvider(endpoint, new ModelPoolOptions(), TimeProvider.System);
        try
        {
            var reply = await provider.CallAsync(Requests.For(), TimeSpan.FromMinutes(1), new RecordingSink(), TestContext.Current.CancellationToken);
            return (reply, null);
        }
        catch (ModelException failure)
        {
            return (null, failure);
        }
    }

    private static string Message(JsonElement item, string field) =>
        item.TryGetProperty("message", out var message) && message.TryGetProperty(field, out var value) ? value.GetString() ?? "" : "";

    private static string Body(JsonElement response) =>
        string.Concat(response.GetProperty("chunks").EnumerateArray().Select(chunk => chunk.GetProperty("text").GetString()));

    private static List<JsonElement> Objects(string text)
    {
        var objects = new List<JsonElement>();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line.StartsWith('{')))
        {
            using var document = JsonDocument.Parse(line);
            objects.Add(document.RootElement.Clone());
        }

        return objects;
    }

    private static IEnumerable<JsonElement> Recordings(string path)
    {
        var folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Lekhika.Daemon.sln")))
            folder = Path.GetDirectoryName(folder);
        var data = folder is null ? "" : Path.Combine(folder, "..", "shared", "data", "ollama-transcripts");
        if (!Directory.Exists(data))
            Assert.Skip(string.Create(CultureInfo.InvariantCulture, $"the recordings are not here: {data}"));
        return Directory.EnumerateFiles(data, "*.ndjson").Order(StringComparer.Ordinal).SelectMany(File.ReadLines)
            .Select(line => JsonDocument.Parse(line).RootElement)
            .Where(item => item.GetProperty("request").GetProperty("path").GetString() == path
                && item.TryGetProperty("response", out var response) && response.ValueKind == JsonValueKind.Object
                && response.TryGetProperty("chunks", out var chunks) && chunks.ValueKind == JsonValueKind.Array);
    }
}

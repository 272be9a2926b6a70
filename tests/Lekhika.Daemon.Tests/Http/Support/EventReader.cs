using System.Text;
using System.Text.Json;
using Xunit;

namespace Lekhika.Daemon.Tests.Http.Support;

/// <summary>Reads a stream of server-sent events.</summary>
internal sealed class EventReader(HttpResponseMessage response, StreamReader reader) : IDisposable
{
    public HttpResponseMessage Response { get; } = response;

    public static async Task<EventReader> OpenAsync(TestServer server, string path, string? lastEventId = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (lastEventId is not null) request.Headers.Add("Last-Event-ID", lastEventId);
        var response = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        return new EventReader(response, new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken)));
    }

    /// <summary>The next event or comment; null at the end of the stream.</summary>
    public async Task<ServerEvent?> NextAsync()
    {
        string? id = null;
        var name = "";
        var data = new StringBuilder();
        var seen = false;
        while (await reader.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(
            TimeSpan.FromSeconds(20), TimeProvider.System, TestContext.Current.CancellationToken) is { } line)
        {
            if (line.Length == 0)
            {
                if (seen) return new ServerEvent(id, name, data.ToString());
                continue;
            }

            seen = true;
            if (line[0] == ':') name = line;
            else if (line.StartsWith("id: ", StringComparison.Ordinal)) id = line[4..];
            else if (line.StartsWith("event: ", StringComparison.Ordinal)) name = line[7..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal)) data.Append(data.Length > 0 ? "\n" : "").Append(line.AsSpan(6));
            else Assert.Fail($"a line that no event has: {line}");
        }

        return null;
    }

    /// <summary>Reads on to the next event of that name.</summary>
    public async Task<ServerEvent> UntilAsync(string name)
    {
        while (await NextAsync() is { } next)
        {
            if (next.Name == name) return next;
        }

        throw new InvalidOperationException($"the stream ended before '{name}'");
    }

    public async Task<List<ServerEvent>> RestAsync()
    {
        var all = new List<ServerEvent>();
        while (await NextAsync() is { } next) all.Add(next);
        return all;
    }

    public void Dispose()
    {
        reader.Dispose();
        Response.Dispose();
    }
}

internal sealed record ServerEvent(string? Id, string Name, string Data)
{
    public JsonElement Json => TestServer.Json(Data);
}

using System.Text.Json;

namespace Lekhika.Daemon.Tests.EndToEnd.Support;

/// <summary>An event of a stream.</summary>
internal sealed record SentEvent(string? Id, string Name, JsonElement Data);

/// <summary>Reads the events of an execution as a browser would.</summary>
internal static class EventLines
{
    public static async IAsyncEnumerable<SentEvent> FollowAsync(
        HttpClient http, Guid id, string? lastEventId, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"status/{id}/events");
        if (lastEventId is not null) request.Headers.Add("Last-Event-ID", lastEventId);
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        response.EnsureSuccessStatusCode();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        var (eventId, name, data) = ((string?)null, "message", "");
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal)) eventId = line[4..];
            else if (line.StartsWith("event: ", StringComparison.Ordinal)) name = line[7..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal)) data += line[6..];
            else if (line.Length == 0 && data.Length > 0)
            {
                using var document = JsonDocument.Parse(data);
                yield return new SentEvent(eventId, name, document.RootElement.Clone());
                (name, data) = ("message", "");
            }
        }
    }
}

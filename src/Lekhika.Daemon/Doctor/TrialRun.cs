using System.Globalization;
using System.Text.Json;

namespace Lekhika.Daemon.Doctor;

/// <summary>
/// A small execution from end to end, the way a caller's go: POST /execute, then /status until it is over. It carries a number of its own that must come
/// back in the result; with a default model it asks the model for one word.
/// </summary>
internal sealed class TrialRun(HttpProbe probe, string where, bool withModel, DoctorContext context)
{
    private const string Name = "run";
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    public async Task<Check> RunAsync(CancellationToken cancellationToken)
    {
        var id = Guid.CreateVersion7();
        var nonce = Guid.NewGuid().ToString("N");
        var begun = context.Time.GetTimestamp();
        var accepted = await probe.PostAsync("/execute", Body(id, nonce), cancellationToken);
        if (accepted.Status is < 200 or > 299)
        {
            return Check.Failed(Name, $"POST {where}/execute was not accepted ({(accepted.Failure == ProbeFailure.None ? accepted.Said : accepted.Detail)})",
                "the checks above say why; if they are all well, the daemon's log does: journalctl -u lekhika-daemon -n 50");
        }

        while (context.Time.GetElapsedTime(begun) < context.RunPatience)
        {
            var reply = await probe.GetAsync($"/status/{id}", cancellationToken);
            if (reply.Status == 404)
            {
                return Check.Failed(Name, $"{where} accepted execution {id}, but does not know its status",
                    "two workers with different databases share this address: let the proxy's upstream name one of them");
            }

            if (Picture(reply) is { } status && Text(status, "status") is { } word)
            {
                if (word == "completed") return Judge(status, nonce, id, context.Time.GetElapsedTime(begun));
                if (word is "failed" or "cancelled")
                {
                    return Check.Failed(Name, $"the test execution {id} ended as {word}: {Text(status, "error") ?? "no reason given"}",
                        withModel ? "if a model failed: try it with ollama run; the execution's steps say more" : "the daemon's log says more: journalctl -u lekhika-daemon -n 50");
                }
            }

            await Task.Delay(Interval, context.Time, cancellationToken);
        }

        return Check.Failed(Name, $"the test execution {id} was not over within {context.RunPatience.TotalMinutes:0} min",
            "is the queue long, or the model slow? GET /status of the daemon shows what it is at");
    }

    private Check Judge(JsonElement status, string nonce, Guid id, TimeSpan took)
    {
        var result = status.TryGetProperty("result"u8, out var value) ? value.GetRawText() : "";
        return result.Contains(nonce, StringComparison.Ordinal)
            ? Check.Ok(Name, string.Create(CultureInfo.InvariantCulture, $"a test execution{(withModel ? " with a model call" : "")} by {where} completed in {took.TotalSeconds:0.0} s ({id})"))
            : Check.Failed(Name, $"the test execution {id} completed with another result than it should", "another worker with another engine took it: stop the earlier workers");
    }

    private static JsonElement? Picture(ProbeReply reply) =>
        reply.Json is { } json && json.TryGetProperty("status"u8, out var inner) && inner.ValueKind == JsonValueKind.Object ? inner : null;

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private string Body(Guid id, string nonce)
    {
        var ask = withModel ? """{"id":"ask","type":"llm","config":{"prompt":"Answer with the one word: ready","max_tokens":16}},""" : "";
        var edges = withModel
            ? """{"from":"start","to":"ask"},{"from":"ask","to":"result"}"""
            : """{"from":"start","to":"result"}""";
        return $$$"""
            {"executionId":"{{{id}}}","userId":"lekhika-doctor","priority":100,"inputs":{"nonce":"{{{nonce}}}"},"timeoutSeconds":600,
             "workflow":{"name":"lekhika-daemon doctor","nodes":[
               {"id":"start","type":"trigger","config":{"fields":[{"name":"nonce","type":"string","required":true}]}},
               {{{ask}}}
               {"id":"result","type":"output","config":{"value":"{{ inputs.nonce }}"}}],
              "edges":[{{{edges}}}]}}
            """;
    }
}

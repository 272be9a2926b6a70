using System.Text.Json;
using Lekhika.Daemon.Live;

namespace Lekhika.Daemon.Cli;

/// <summary>Tells a person what an execution is doing: a line per node; on a terminal the model's text as it is written.</summary>
internal sealed class ProgressPrinter(TextWriter output)
{
    private readonly bool _terminal = !Console.IsErrorRedirected;
    private bool _inText;

    public async Task FollowAsync(LiveExecution live, EventSubscription subscription, CancellationToken cancellationToken)
    {
        await foreach (var happened in subscription.Events.ReadAllAsync(cancellationToken)) await PrintAsync(happened);
        live.Unsubscribe(subscription);
        await EndTextAsync();
    }

    private async Task PrintAsync(LiveEvent happened)
    {
        using var document = JsonDocument.Parse(happened.Data);
        var data = document.RootElement;
        switch (happened.Name)
        {
            case "node":
                await EndTextAsync();
                await output.WriteLineAsync($"{Mark(data.GetProperty("status").GetString())} {data.GetProperty("step").GetString()}"
                    + (data.TryGetProperty("error", out var error) ? $": {error.GetString()}" : ""));
                break;
            case "text" when _terminal:
                _inText = true;
                await output.WriteAsync(data.GetProperty("text").GetString());
                break;
            case "restart":
                await EndTextAsync();
                await output.WriteLineAsync($"↻ {data.GetProperty("step").GetString()}: {data.GetProperty("reason").GetString()}; beginning again");
                break;
            default:
                break;
        }
    }

    private async Task EndTextAsync()
    {
        if (_inText) await output.WriteLineAsync();
        _inText = false;
    }

    private static string Mark(string? status) => status switch
    {
        "completed" => "✓",
        "failed" => "✗",
        "retrying" => "↻",
        "waiting" => "…",
        _ => "▶",
    };
}

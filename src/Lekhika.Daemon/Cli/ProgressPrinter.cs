using System.Globalization;
using System.Text;
using System.Text.Json;
using Lekhika.Daemon.Diagnostics;
using Lekhika.Daemon.Live;

namespace Lekhika.Daemon.Cli;

// Tells what an execution is doing while it does it, on standard error, so that standard output holds the result and nothing else.
//
//   in a pipe      one plain line when a step starts and one when it ends, never a piece of text
//   on a terminal  the text of the model as it is written, behind a bar; a line for each step that ended; and, while nothing is written, one
//                  line at the bottom that is drawn over: what runs, for how long, and who waits for a model's turn

/// <summary>Follows one execution for a person.</summary>
internal sealed class ProgressPrinter(CommandContext context, TimeProvider time)
{
    private const string ClearLine = "\r\e[2K";
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(150);
    private static readonly string[] Wheel = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

    private readonly TextWriter _output = context.Error;
    private readonly bool _isTerminal = context.ErrorTarget == ConsoleTarget.Terminal;
    private readonly Dictionary<string, RunningStep> _running = new(StringComparer.Ordinal);
    private readonly HashSet<string> _ended = new(StringComparer.Ordinal);
    private string? _writing;
    private string? _announced;
    private bool _atLineStart = true;
    private bool _hasStatus;
    private int _turns;
    private double _percent;

    /// <summary>Prints until the execution ends.</summary>
    public async Task FollowAsync(LiveExecution live, EventSubscription subscription, CancellationToken cancellation)
    {
        using var ticker = new PeriodicTimer(Tick, time);
        var tick = ticker.WaitForNextTickAsync(cancellation).AsTask();
        while (true)
        {
            while (subscription.Events.TryRead(out var happened)) Print(happened);
            var more = subscription.Events.WaitToReadAsync(cancellation).AsTask();
            while (context.HasErrorCursor && await Task.WhenAny(more, tick) == tick)
            {
                await tick;
                DrawStatus();
                tick = ticker.WaitForNextTickAsync(cancellation).AsTask();
            }

            if (!await more) break;
        }

        live.Unsubscribe(subscription);
        if (subscription.NeedsSnapshot) PrintMissed(live.Snapshot());
        EndText();
        ClearStatus();
        await _output.FlushAsync(cancellation);
    }

    /// <summary>Says how it ended: time, steps and tokens.</summary>
    public void Summarise(LiveSnapshot end)
    {
        var took = (end.FinishedAt ?? time.GetUtcNow()) - (end.StartedAt ?? end.Header.CreatedAt);
        var tokens = end.TokensIn + end.TokensOut == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", {end.TokensIn} tokens read and {end.TokensOut} written");
        Line("2", string.Create(CultureInfo.InvariantCulture, $"{end.Status} in {Time(took)}, {end.Steps.Count} step{(end.Steps.Count == 1 ? "" : "s")}{tokens}"));
    }

    /// <summary>Says until when nothing will happen.</summary>
    public void Waits(DateTimeOffset due) =>
        Line("36", string.Create(CultureInfo.InvariantCulture, $"{Mark("…", "waiting")} until {due.ToLocalTime():yyyy-MM-dd HH:mm:ss zzz}, {Time(due - time.GetUtcNow())} from now"));

    private void Print(LiveEvent happened)
    {
        using var document = JsonDocument.Parse(happened.Data);
        var data = document.RootElement;
        var step = Text(data, "step");
        switch (happened.Name)
        {
            case "node":
                PrintNode(step, Text(data, "status"), Text(data, "type"), Text(data, "error"));
                break;
            case "phase":
                Line("", string.Create(CultureInfo.InvariantCulture, $"{data.GetProperty("progress").GetDouble():0} % {Text(data, "message")}"));
                break;
            case "queued" when _running.TryGetValue(step, out var waiting):
                waiting.Before = data.GetProperty("position").GetInt32();
                break;
            case "turn" when _running.TryGetValue(step, out var called):
                called.Before = null;
                break;
            case "text" when _isTerminal:
                Write(step, Text(data, "text"));
                break;
            case "restart":
                Line("33", $"{Mark("↻", "restarted")} {step}: {Text(data, "reason")}; beginning again");
                break;
            case "progress":
                _percent = data.GetProperty("progress").GetDouble();
                break;
        }
    }

    private void PrintNode(string step, string status, string type, string error)
    {
        if (status == "running")
        {
            _running[step] = new RunningStep(time.GetTimestamp());
            if (context.HasErrorCursor) return;
            Line("", $"{Mark("▶", "started")} {step} ({type})");
            _announced = step;
            return;
        }

        var took = _running.Remove(step, out var ran) ? $" {Mark("", "after ")}{Time(time.GetElapsedTime(ran.Since))}" : "";
        if (status is "completed" or "failed") _ended.Add(step);
        var (colour, sign) = status switch
        {
            "completed" => ("32", "✓"),
            "failed" => ("31", "✗"),
            "retrying" => ("33", "↻"),
            _ => ("36", "…"),
        };
        Line(colour, $"{Mark(sign, status)} {step}{took}{(error.Length > 0 ? ": " + error : "")}");
    }

    /// <summary>What ended while this follower did not keep up.</summary>
    private void PrintMissed(LiveSnapshot end)
    {
        foreach (var step in end.Steps.Where(step => step.Status is "completed" or "failed" && !_ended.Contains(step.Key)))
            PrintNode(step.Key, step.Status, step.Node.Definition.Type, step.Error?.Message ?? "");
    }

    /// <summary>A piece of the text of one step. Of several that write at once the first one is shown; the others' end is told like any.</summary>
    private void Write(string step, string piece)
    {
        if (_writing is null)
        {
            if (_announced != step) Line("", $"▶ {step}");
            (_writing, _atLineStart) = (step, true);
        }

        if (_writing != step) return;
        ClearStatus();
        var shown = new StringBuilder(piece.Length + 16);
        foreach (var rune in piece.EnumerateRunes())
        {
            // A model's text must not move the cursor or change the terminal.
            if (Rune.IsControl(rune) && rune.Value is not ('\n' or '\t')) continue;
            if (_atLineStart) shown.Append(Dressed("2", "  │ "));
            shown.Append(rune.ToString());
            _atLineStart = rune.Value == '\n';
        }

        _output.Write(shown.ToString());
        _output.Flush();
    }

    private void EndText()
    {
        if (_writing is null) return;
        if (!_atLineStart) _output.Write('\n');
        _writing = null;
        _atLineStart = true;
    }

    private void Line(string colour, string text)
    {
        EndText();
        ClearStatus();
        _announced = null;
        var clean = string.Concat(text.ReplaceLineEndings(" ").Where(static character => !char.IsControl(character)));
        _output.Write(Dressed(colour, clean) + "\n");
        _output.Flush();
    }

    private void DrawStatus()
    {
        if (_running.Count == 0 || _writing is not null) return;
        var steps = _running.OrderBy(static step => step.Value.Since).Take(3).Select(step =>
            $"{step.Key} {Time(time.GetElapsedTime(step.Value.Since))}"
            + step.Value.Before switch { null => "", 0 => " (next for its model)", var before => string.Create(CultureInfo.InvariantCulture, $" ({before} before it)") });
        var more = _running.Count > 3 ? string.Create(CultureInfo.InvariantCulture, $" and {_running.Count - 3} more") : "";
        var status = string.Create(CultureInfo.InvariantCulture, $"{Wheel[_turns++ % Wheel.Length]} {_percent:0} % · {string.Join(" · ", steps)}{more}");
        var room = Math.Max(20, context.ErrorWidth - 1);
        _output.Write(ClearLine + (status.Length > room ? status[..(room - 1)] + "…" : status));
        _output.Flush();
        _hasStatus = true;
    }

    private void ClearStatus()
    {
        if (_hasStatus) _output.Write(ClearLine);
        _hasStatus = false;
    }

    private string Mark(string sign, string word) => _isTerminal ? sign : word;

    private string Dressed(string colour, string text) => context.HasErrorColour && colour.Length > 0 ? $"\e[{colour}m{text}\e[0m" : text;

    private static string Text(JsonElement data, string name) =>
        data.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static string Time(TimeSpan time) => time.TotalSeconds < 60
        ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s")
        : string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalMinutes} min {time.Seconds} s");

    private sealed class RunningStep(long since)
    {
        public long Since { get; } = since;

        /// <summary>Calls before it in its model's lane; null if it does not wait there.</summary>
        public int? Before { get; set; }
    }
}

using System.Globalization;
using System.Text.Json;
using Lekhika.Postgres.Signals;
using Lekhika.Workflows;
using Lekhika.Workflows.Execution;
using Lekhika.Workflows.Expressions;
using Lekhika.Workflows.Templates;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>
/// Waits: for a time, until a time, until a condition holds, or for a signal. What is recorded is when it began and when it ends at the latest, by the
/// database's clock; between two looks at a condition the execution may leave memory.
/// </summary>
internal sealed class DelayRunner : INodeRunner
{
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DefaultInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromDays(1);

    public ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken) => ValueTask.FromResult(Begin(call));

    public ValueTask<NodeOutcome> ResumeAsync(NodeCall call, PendingWait wait, CancellationToken cancellationToken) =>
        ValueTask.FromResult(wait.Decision?.Text("kind") switch
        {
            "condition" => Look(call, wait.Decision!.Value),
            "signal" => new NodeFailed(
                ErrorCodes.NodeTimeout,
                $"Node '{call.Step.Node.Id}': no signal '{wait.Decision!.Value.Text("name")}' came by {wait.DueAt:u}, the end of its time (config.timeout)."),
            _ => Over(call, wait.Decision),
        });

    public IEnumerable<string> Topics(PendingWait wait, bool isOnlyGate) =>
        wait.Decision is { } decision && decision.Text("kind") == "signal" && decision.Text("name") is { } name
            ? [EventTopic.Signal(name, wait.Step.Key), EventTopic.Signal(name)]
            : [];

    public NodeOutcome? Answer(NodeCall call, PendingWait wait, WaitEvent given) => new NodeSucceeded(JsonConstants.Object(writer =>
    {
        writer.WriteNumber("waited_ms", (long)Since(call, wait.Decision).TotalMilliseconds);
        writer.WriteString("signal", given.Name);
        writer.WritePropertyName("payload");
        if (given.Payload is { } payload) payload.WriteTo(writer);
        else writer.WriteNullValue();
    }));

    private static NodeOutcome Begin(NodeCall call)
    {
        if (call.Program.Expressions.ContainsKey("condition"))
        {
            var deadline = call.Now + (call.Config.Duration("timeout") ?? DefaultTimeout);
            return Look(call, Decision("condition", call.Now, deadline));
        }

        if (call.Config.Text("signal") is { } signal)
        {
            if (signal.Length is 0 or > 200 || signal.Any(char.IsControl))
            {
                return new NodeFailed(
                    ErrorCodes.InvalidInput, $"Node '{call.Step.Node.Id}': config.signal must be a name of 1 to 200 characters without control characters.");
            }

            var until = call.Now + (call.Config.Duration("timeout") ?? DefaultTimeout);
            return new NodeWaits(until, Decision("signal", call.Now, until, signal));
        }

        if (call.Config.Get("for") is { } span)
        {
            return call.Config.Duration("for") is { } duration
                ? Until(call, call.Now + duration)
                : new NodeFailed(ErrorCodes.InvalidInput, $"Node '{call.Step.Node.Id}': config.for must be a duration such as \"10m\", but is {NodeConfig.TextOf(span)}.");
        }

        var text = call.Config.Text("until") ?? "";
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? Until(call, time)
            : new NodeFailed(
                ErrorCodes.InvalidInput, $"Node '{call.Step.Node.Id}': config.until must be a point in time such as 2030-01-31T09:00:00Z, but is \"{text}\".");
    }

    private static NodeOutcome Until(NodeCall call, DateTimeOffset until) =>
        until <= call.Now ? Waited(TimeSpan.Zero) : new NodeWaits(until, Decision("time", call.Now, until));

    private static NodeSucceeded Over(NodeCall call, JsonElement? decision) => Waited(Since(call, decision));

    private static NodeOutcome Look(NodeCall call, JsonElement decision)
    {
        var value = call.Program.Evaluate("condition", call.Bindings);
        if (!value.TryGetBool(out var holds))
        {
            throw new TemplateRenderException(
                "config.condition",
                call.Program.Expressions["condition"].Text,
                new CelEvaluationException($"it gave {value.Kind} {value.ToText()}, but must give true or false"));
        }

        if (holds) return Waited(Since(call, decision));
        var deadline = Time(decision, "until") ?? call.Now;
        if (call.Now >= deadline)
        {
            return new NodeFailed(
                ErrorCodes.NodeTimeout, $"Node '{call.Step.Node.Id}': the condition did not hold by {deadline:u}, the end of its time (config.timeout).");
        }

        var every = call.Config.Duration("every") ?? DefaultInterval;
        var next = call.Now + (every < ShortestInterval ? ShortestInterval : every);
        return new NodeWaits(next < deadline ? next : deadline, decision);
    }

    private static TimeSpan Since(NodeCall call, JsonElement? decision) =>
        decision is { } known && Time(known, "since") is { } since && call.Now > since ? call.Now - since : TimeSpan.Zero;

    private static DateTimeOffset? Time(JsonElement decision, string name) =>
        DateTimeOffset.TryParse(decision.Text(name), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    private static NodeSucceeded Waited(TimeSpan time) =>
        new(JsonConstants.Object(writer => writer.WriteNumber("waited_ms", (long)time.TotalMilliseconds)));

    private static JsonElement Decision(string kind, DateTimeOffset since, DateTimeOffset until, string? name = null) => JsonConstants.Object(writer =>
    {
        writer.WriteString("kind", kind);
        if (name is not null) writer.WriteString("name", name);
        writer.WriteString("since", since.ToString("O", CultureInfo.InvariantCulture));
        writer.WriteString("until", until.ToString("O", CultureInfo.InvariantCulture));
    });
}

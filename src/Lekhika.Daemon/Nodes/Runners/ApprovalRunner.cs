using System.Text.Json;
using Lekhika.Workflows;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>
/// Asks people. The question is recorded with the wait and shown as what the execution waits for; an answer comes as an event for this step. When the
/// time is over without one, the default is the answer, or the node fails.
/// </summary>
internal sealed class ApprovalRunner : INodeRunner
{
    public ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        var config = call.Config;
        var options = Options(config);
        var fallback = config.Text("default");
        if (fallback is not null && !options.Contains(fallback, StringComparer.Ordinal))
        {
            return ValueTask.FromResult<NodeOutcome>(new NodeFailed(
                ErrorCodes.InvalidWorkflow, $"Node '{call.Step.Node.Id}': config.default is '{fallback}', but the answers are {string.Join(", ", options)}."));
        }

        DateTimeOffset? due = config.Duration("timeout") is { } limit ? call.Now + limit : null;
        return ValueTask.FromResult<NodeOutcome>(new NodeWaits(due, JsonConstants.Object(writer =>
        {
            writer.WriteString("kind", "approval");
            writer.WriteString("message", config.Text("message") ?? "");
            writer.WriteStartArray("options");
            foreach (var option in options) writer.WriteStringValue(option);
            writer.WriteEndArray();
            if (fallback is not null) writer.WriteString("default", fallback);
            if (config.Get("approvers") is { } approvers)
            {
                writer.WritePropertyName("approvers");
                approvers.WriteTo(writer);
            }
        })));
    }

    public ValueTask<NodeOutcome> ResumeAsync(NodeCall call, PendingWait wait, CancellationToken cancellationToken) =>
        ValueTask.FromResult<NodeOutcome>(wait.Decision?.Text("default") is { } answer
            ? Answered(answer, by: null, data: null, isTimedOut: true)
            : new NodeFailed(ErrorCodes.NodeTimeout, $"Node '{call.Step.Node.Id}': nobody answered by {wait.DueAt:u}, and there is no default answer (config.default)."));

    /// <summary>The outcome of an answer.</summary>
    /// <param name="answer">One of the options: the branch taken.</param>
    /// <param name="by">Who answered; null if nobody did.</param>
    /// <param name="data">What came with the answer.</param>
    /// <param name="isTimedOut">Whether it is the default, taken when the time was over.</param>
    public static NodeSucceeded Answered(string answer, string? by, JsonElement? data, bool isTimedOut) => new(
        JsonConstants.Object(writer =>
        {
            writer.WriteString("answer", answer);
            writer.WriteString("by", by);
            writer.WritePropertyName("data");
            if (data is { } given) given.WriteTo(writer);
            else writer.WriteNullValue();
            writer.WriteBoolean("timed_out", isTimedOut);
            writer.WriteString("branch", answer);
        }),
        answer);

    private static IReadOnlyList<string> Options(JsonElement config) => config.Texts("options") is { Count: > 0 } given ? given : ["approve", "reject"];
}

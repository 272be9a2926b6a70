using System.Text.Json;
using Lekhika.Postgres.Signals;
using Lekhika.Workflows;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>
/// Asks people. The question is recorded with the wait and shown as what the execution waits for; an answer comes as a signal. When the time is over
/// without one, the default is the answer, or the node fails.
///
/// A signal is an answer if its name is one of the options, or if its name is <c>approval</c> and its payload says which option. Sent to this step it is
/// for this step alone, whenever it comes; sent to none it is taken only while this is the only open approval.
/// </summary>
internal sealed class ApprovalRunner : INodeRunner
{
    /// <summary>What the decision of the wait of an approval says.</summary>
    public const string Kind = "approval";

    /// <summary>Name of a signal that says in its payload what the answer is.</summary>
    public const string AnswerSignal = "approval";

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
            writer.WriteString("kind", Kind);
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
            ? Answered(answer, by: null, comment: null, data: null, isTimedOut: true)
            : new NodeFailed(ErrorCodes.NodeTimeout, $"Node '{call.Step.Node.Id}': nobody answered by {wait.DueAt:u}, and there is no default answer (config.default)."));

    public IEnumerable<string> Topics(PendingWait wait, bool isOnlyGate)
    {
        foreach (var name in OptionsOf(wait).Append(AnswerSignal))
        {
            yield return EventTopic.Signal(name, wait.Step.Key);
            if (isOnlyGate) yield return EventTopic.Signal(name);
        }
    }

    public NodeOutcome? Answer(NodeCall call, PendingWait wait, WaitEvent given)
    {
        var options = OptionsOf(wait);
        var payload = given.Payload;
        var answer = options.Contains(given.Name, StringComparer.Ordinal) ? given.Name : AnswerIn(payload);
        if (answer is null || !options.Contains(answer, StringComparer.Ordinal)) return null;
        return Answered(answer, Said(payload, "by"), Said(payload, "comment"), Data(payload), isTimedOut: false);
    }

    /// <summary>The outcome of an answer.</summary>
    /// <param name="answer">One of the options: the branch taken.</param>
    /// <param name="by">Who answered; null if nobody did.</param>
    /// <param name="comment">What they said to it.</param>
    /// <param name="data">What came with the answer.</param>
    /// <param name="isTimedOut">Whether it is the default, taken when the time was over.</param>
    public static NodeSucceeded Answered(string answer, string? by, string? comment, JsonElement? data, bool isTimedOut) => new(
        JsonConstants.Object(writer =>
        {
            writer.WriteString("answer", answer);
            writer.WriteString("by", by);
            writer.WriteString("comment", comment);
            writer.WritePropertyName("data");
            if (data is { } given) given.WriteTo(writer);
            else writer.WriteNullValue();
            writer.WriteBoolean("timed_out", isTimedOut);
            writer.WriteString("branch", answer);
        }),
        answer);

    private static IReadOnlyList<string> OptionsOf(PendingWait wait) => wait.Decision is { } decision ? Options(decision) : [];

    private static string? AnswerIn(JsonElement? payload) => payload switch
    {
        { ValueKind: JsonValueKind.String } text => text.GetString(),
        { ValueKind: JsonValueKind.Object } fields => fields.Text("answer") ?? fields.Text("decision") ?? fields.Text("option") ?? Approved(fields),
        _ => null,
    };

    private static string? Approved(JsonElement fields) => fields.Get("approved") switch
    {
        { ValueKind: JsonValueKind.True } => "approve",
        { ValueKind: JsonValueKind.False } => "reject",
        _ => null,
    };

    private static string? Said(JsonElement? payload, string name) =>
        payload is { ValueKind: JsonValueKind.Object } fields && fields.Get(name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    /// <summary>What of the payload is for the workflow: its field <c>payload</c> or <c>data</c>, else all of it.</summary>
    private static JsonElement? Data(JsonElement? payload) =>
        payload is { ValueKind: JsonValueKind.Object } fields ? fields.Get("payload") ?? fields.Get("data") ?? payload : payload;

    private static IReadOnlyList<string> Options(JsonElement config) => config.Texts("options") is { Count: > 0 } given ? given : ["approve", "reject"];
}

using System.Text.Json;
using Lekhika.Daemon.Nodes;
using Lekhika.Daemon.Nodes.Runners;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Signals;

namespace Lekhika.Daemon.Http.Signals;

/// <summary>
/// Finds the approval that an answer is for. An open one that is named, or the only open one; else the one that will come to be open, if the definition
/// leaves no doubt which it is. In doubt nothing is opened, and the reply lists what is open.
/// </summary>
internal sealed class GateFinder(HttpServerContext services)
{
    /// <summary>The step key of the approval that is meant.</summary>
    /// <exception cref="RequestException">None is, or more than one could be, or it has no such answer.</exception>
    public async Task<string> FindAsync(ExecutionRow row, SignalRequest request, string answer, CancellationToken cancellationToken)
    {
        var all = await services.Signals.GatesAsync(row.Exec, row.Run, cancellationToken);
        var awaited = AwaitedSteps(row);
        var open = all.Where(gate => gate.Answer is null && (awaited is null || awaited.Contains(gate.StepKey))).ToList();
        var meant = request.StepKey is { } key ? open.Where(gate => gate.StepKey == key).ToList()
            : request.NodeId is { } node ? open.Where(gate => NodeOf(gate.StepKey) == node || gate.StepKey == node).ToList()
            : open;
        if (meant.Count > 1) throw Ambiguous(row, open);
        if (meant.Count == 1)
        {
            var options = Options(meant[0]);
            return options.Count == 0 || options.Contains(answer, StringComparer.Ordinal) ? meant[0].StepKey : throw NoSuchAnswer(row, meant[0], answer, options);
        }

        return EarlyKey(row, request, all, open);
    }

    /// <summary>Whether a signal that names no step could open more than one of the approvals that are open.</summary>
    public async Task RefuseAmbiguousAsync(ExecutionRow row, string name, CancellationToken cancellationToken)
    {
        if (AwaitedSteps(row) is { Count: 0 }) return;
        var awaited = AwaitedSteps(row);
        var open = (await services.Signals.GatesAsync(row.Exec, row.Run, cancellationToken))
            .Where(gate => gate.Answer is null && (awaited is null || awaited.Contains(gate.StepKey))).ToList();
        if (open.Count > 1 && (name == ApprovalRunner.AnswerSignal || open.Exists(gate => Options(gate).Contains(name, StringComparer.Ordinal))))
            throw Ambiguous(row, open);
    }

    private string EarlyKey(ExecutionRow row, SignalRequest request, List<ApprovalGate> all, List<ApprovalGate> open)
    {
        var known = row.Definition is { } definition && services.Compiler.Compile(definition).Workflow is { } workflow ? ApprovalNodes.Of(workflow) : null;
        var key = request.StepKey ?? known?.OnlyKey(request.NodeId);
        if (key is null || known?.Has(key) == false) throw NoneOpen(row, request, open, known);
        if (all.Find(gate => gate.StepKey == key) is { Answer: { } given })
        {
            throw new RequestException(
                StatusCodes.Status409Conflict, HttpErrorCodes.Conflict, $"The approval '{key}' of execution {row.Id} was answered already: {given}.")
            {
                ExecutionId = row.Id,
                ExecutionStatus = row.Status,
            };
        }

        return key;
    }

    /// <summary>The steps that a waiting execution says it waits for; null if its row does not tell, since it is held or has not begun.</summary>
    private static HashSet<string>? AwaitedSteps(ExecutionRow row)
    {
        if (row.Status is not ("waiting" or "paused") || row.WaitingFor is not { ValueKind: JsonValueKind.Object } waiting) return null;
        if (!waiting.TryGetProperty("steps", out var steps) || steps.ValueKind != JsonValueKind.Array) return null;
        return [.. steps.EnumerateArray().Select(static step => step.Text("step") ?? "")];
    }

    private static IReadOnlyList<string> Options(ApprovalGate gate) => gate.Asked is { } asked ? asked.Texts("options") : [];

    /// <summary>The last segment of a key, as it is written there; ids that need escapes are named by their step key.</summary>
    private static string NodeOf(string key) => key[(key.LastIndexOf('.') + 1)..];

    private static RequestException NoneOpen(ExecutionRow row, SignalRequest request, List<ApprovalGate> open, ApprovalNodes? known)
    {
        var there = known is null ? "" : known.Forms.Any() ? $" The approvals of this workflow: {string.Join(", ", known.Forms)}." : " This workflow has no approval.";
        var what = request.StepKey is { } key ? $"there is no approval with the step key '{key}'"
            : request.NodeId is { } node ? $"no approval '{node}' is open"
            : "no approval is open";
        return new RequestException(
            StatusCodes.Status409Conflict, HttpErrorCodes.NoOpenApproval,
            $"Execution {row.Id} is {row.Status}, and {what}; to answer one before it is open, name its step_key.{there}")
        {
            ExecutionId = row.Id,
            ExecutionStatus = row.Status,
            Gates = Listed(open),
        };
    }

    private static RequestException Ambiguous(ExecutionRow row, List<ApprovalGate> open) => new(
        StatusCodes.Status409Conflict, HttpErrorCodes.AmbiguousApproval,
        $"Execution {row.Id} has {open.Count} open approvals; name one by its step_key: {string.Join(", ", open.Select(static gate => gate.StepKey))}.")
    {
        ExecutionId = row.Id,
        ExecutionStatus = row.Status,
        Gates = Listed(open),
    };

    private static RequestException NoSuchAnswer(ExecutionRow row, ApprovalGate gate, string answer, IReadOnlyList<string> options) => new(
        StatusCodes.Status400BadRequest, HttpErrorCodes.InvalidRequest,
        $"The approval '{gate.StepKey}' has no answer '{answer}'; its answers are {string.Join(", ", options)}. Send one as \"answer\".")
    {
        ExecutionId = row.Id,
        ExecutionStatus = row.Status,
        Gates = Listed([gate]),
    };

    /// <summary>The open approvals as the reply lists them.</summary>
    private static JsonElement Listed(List<ApprovalGate> open) => JsonConstants.Object(writer =>
    {
        writer.WriteStartArray("gates");
        foreach (var gate in open)
        {
            writer.WriteStartObject();
            writer.WriteString("step_key", gate.StepKey);
            writer.WriteString("node_id", NodeOf(gate.StepKey));
            writer.WriteString("message", gate.Asked?.Text("message"));
            writer.WriteStartArray("options");
            foreach (var option in Options(gate)) writer.WriteStringValue(option);
            writer.WriteEndArray();
            writer.WriteTime("due_at"u8, gate.DueAt);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }).GetProperty("gates");
}

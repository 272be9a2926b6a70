using System.Text.Json;
using Lekhika.Postgres.Executions;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Http.Status;

/// <summary>Pictures of executions as the database tells them.</summary>
internal static class RowPictures
{
    public static StatusPicture Of(ExecutionRow row, IReadOnlyList<StepRecord> records, long? queuePosition, DateTimeOffset now)
    {
        var nodes = DefinitionNodes.Of(row.Definition);
        var steps = Steps(row, records, nodes);
        return new StatusPicture
        {
            Id = row.Id,
            Status = row.Status,
            Run = row.Run,
            Progress = Progress(row.Status, nodes.Count, steps),
            Current = steps.FindLastIndex(step => step.NodeId == row.CurrentNodeId) is >= 0 and var named ? named : steps.Count - 1,
            CurrentNodeId = row.CurrentNodeId,
            WaitingFor = row.WaitingFor,
            Result = row.Result,
            Error = row.Error,
            ErrorDetails = row.ErrorDetails,
            CreatedAt = row.CreatedAt,
            StartedAt = row.StartedAt,
            FinishedAt = row.FinishedAt,
            RunAt = row.RunAt,
            Now = now,
            TokensIn = row.TokensIn,
            TokensOut = row.TokensOut,
            Words = row.Words,
            Nodes = nodes,
            Steps = steps,
            WorkerId = row.WorkerId,
            UserId = row.UserId,
            WorkflowId = row.WorkflowId,
            Priority = row.Priority,
            QueuePosition = queuePosition,
            Inputs = new RawJson(null, row.Inputs),
            Definition = new RawJson(null, row.Definition),
        };
    }

    // The exact figure is known to the daemon that runs it; what is recorded gives a lower bound.
    private static double Progress(string status, int nodes, List<StatusStep> steps)
    {
        if (status == "completed") return 100;
        var top = steps.Count(static step => step.Key == StepKey.Of(step.NodeId) && step.FinishedAt is not null);
        return nodes == 0 ? 0 : Math.Min(99, Math.Round(100.0 * top / nodes, 1));
    }

    private static List<StatusStep> Steps(ExecutionRow row, IReadOnlyList<StepRecord> records, List<StatusNode> nodes)
    {
        var latest = new Dictionary<string, StepRecord>(records.Count, StringComparer.Ordinal);
        foreach (var record in records)
        {
            if (!latest.TryGetValue(record.Key, out var known) || Follows(record, known)) latest[record.Key] = record;
        }

        var byId = new Dictionary<string, StatusNode>(nodes.Count, StringComparer.Ordinal);
        foreach (var node in nodes) byId.TryAdd(node.Id, node);
        var steps = new List<StatusStep>(latest.Count);
        foreach (var record in latest.Values)
        {
            // One pass of a loop is decided under the key of the iteration: no step of a node.
            if (NodeOf(record.Key) is not { } nodeId) continue;
            var node = byId.GetValueOrDefault(nodeId);
            steps.Add(new StatusStep
            {
                Key = record.Key,
                NodeId = nodeId,
                Name = node?.Name ?? nodeId,
                Type = node?.Type ?? "",
                Status = Status(record.Outcome, row.Status),
                Attempt = record.Attempt,
                StartedAt = record.StartedAt,
                FinishedAt = record.IsFinal ? record.FinishedAt : null,
                DueAt = record.IsFinal ? null : record.DueAt,
                Output = record.Output,
                Error = record.Error,
                Metrics = record.Metrics,
            });
        }

        steps.Sort(static (a, b) => Nullable.Compare(a.StartedAt ?? a.FinishedAt, b.StartedAt ?? b.FinishedAt));
        return steps;
    }

    private static bool Follows(StepRecord record, StepRecord known) =>
        record.IsFinal || (!known.IsFinal && (record.Attempt, record.FinishedAt ?? DateTimeOffset.MinValue)
            .CompareTo((known.Attempt, known.FinishedAt ?? DateTimeOffset.MinValue)) >= 0);

    private static string Status(StepOutcome outcome, string execution) => outcome switch
    {
        StepOutcome.Succeeded => "completed",
        StepOutcome.Failed => "failed",
        _ when execution == "completed" => "completed",
        _ when Terminal.Is(execution) => "cancelled",
        StepOutcome.Retrying => "retrying",
        StepOutcome.Waiting => "waiting",
        _ => "running",
    };

    /// <summary>The node that a step key ends with; null for the key of an iteration.</summary>
    internal static string? NodeOf(string key)
    {
        if (key.AsSpan().IndexOfAny(@"\.[]") < 0) return key;
        var start = 0;
        for (var at = 0; at < key.Length; at++)
        {
            if (key[at] == '\\') at++;
            else if (key[at] == '.') start = at + 1;
            else if (key[at] == '[' && at + 1 < key.Length && key.IndexOf(']', at) == key.Length - 1) return null;
        }

        var id = new System.Text.StringBuilder(key.Length - start);
        for (var at = start; at < key.Length; at++)
        {
            if (key[at] == '\\' && at + 1 < key.Length) at++;
            id.Append(key[at]);
        }

        return id.ToString();
    }
}

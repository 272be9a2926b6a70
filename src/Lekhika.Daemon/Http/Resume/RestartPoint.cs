using System.Text.Json;
using Lekhika.Postgres.Executions;
using Lekhika.Workflows.Execution;
using Lekhika.Workflows.Validation;

namespace Lekhika.Daemon.Http.Resume;

/// <summary>Where a failed execution begins again.</summary>
/// <param name="Again">Keys of the steps that run again, each with everything inside it.</param>
/// <param name="At">Keys of those it begins at; what comes after them is not among these.</param>
internal sealed record RestartPoint(IReadOnlyList<string> Again, IReadOnlyList<string> At)
{
    /// <summary>Where the row says that it failed.</summary>
    public static RestartPoint Failed(ExecutionRow row)
    {
        var at = new List<string>();
        if (row.ErrorDetails is { ValueKind: JsonValueKind.Object } details)
        {
            if (details.TryGetProperty("resume_at"u8, out var keys) && keys.ValueKind == JsonValueKind.Array)
                at.AddRange(keys.EnumerateArray().Select(static key => key.ToString()));
            else if (details.TryGetProperty("step"u8, out var step) && step.ValueKind == JsonValueKind.String)
                at.Add(step.GetString()!);
        }

        return new RestartPoint(at, at);
    }

    /// <summary>At a chosen node: it and everything downstream run again, and whatever failed beside them.</summary>
    /// <exception cref="RequestException">There is no such node, or it has not run.</exception>
    public static RestartPoint From(string nodeId, WorkflowPlan plan, ExecutionRow row, IReadOnlyList<StepRecord> steps)
    {
        if (plan.Find(nodeId) is not { } node)
        {
            var near = Suggestions.Closest(nodeId, plan.Nodes.Select(static known => known.Id));
            throw ResumeRequest.Invalid(
                $"from names the node '{nodeId}', which the workflow does not have{(near is null ? "" : $"; did you mean '{near}'?")} "
                + $"It has: {string.Join(", ", plan.Nodes.Take(40).Select(static known => known.Id))}.",
                [new FieldProblem("from", $"there is no node '{nodeId}'", "unknown_node", near)]);
        }

        var key = StepKey.Of(nodeId);
        var failed = Failed(row).Again;
        if (!steps.Any(step => IsOf(step.Key, key)) && !failed.Any(at => IsOf(at, key)))
        {
            throw new RequestException(
                StatusCodes.Status409Conflict, HttpErrorCodes.Conflict,
                $"from names the node '{nodeId}', which has not run: the execution failed before it and will come to it. Leave from out, or name a node that has run.")
            {
                ExecutionId = row.Id,
                ExecutionStatus = row.Status,
            };
        }

        var again = Downstream(node).Select(static found => StepKey.Of(found.Id)).ToList();
        again.AddRange(failed.Where(at => !again.Exists(known => IsOf(at, known))));
        return new RestartPoint(again, [key]);
    }

    /// <summary>With what only waits asked anew: in an edited graph it may be another question, or none.</summary>
    public RestartPoint AskAnew(IReadOnlyList<StepRecord> steps) => this with
    {
        Again = [.. Again.Union(steps.Where(static step => step.Outcome == StepOutcome.Waiting).Select(static step => step.Key)
            .Where(key => !steps.Any(step => step.Key == key && step.IsFinal)))],
    };

    /// <summary>Whether something of a node at the top is kept.</summary>
    public bool Keeps(string nodeId, IReadOnlyList<StepRecord> steps)
    {
        var key = StepKey.Of(nodeId);
        return steps.Any(step => IsOf(step.Key, key)
            && (step.IsFinal || step.Outcome == StepOutcome.Opened)
            && !Again.Any(again => IsOf(step.Key, again))
            && !(step.Outcome == StepOutcome.Failed && Again.Any(again => again.StartsWith(step.Key + "[", StringComparison.Ordinal))));
    }

    private static HashSet<PlannedNode> Downstream(PlannedNode first)
    {
        var found = new HashSet<PlannedNode> { first };
        var open = new Stack<PlannedNode>([first]);
        while (open.TryPop(out var node))
        {
            foreach (var edge in node.Outgoing)
            {
                if (found.Add(edge.To)) open.Push(edge.To);
            }
        }

        return found;
    }

    /// <summary>Whether a key is that of a step or of something inside it.</summary>
    private static bool IsOf(string key, string step) =>
        key == step || (key.Length > step.Length && key[step.Length] == '[' && key.StartsWith(step, StringComparison.Ordinal));
}

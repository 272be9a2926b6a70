using System.Text.Json;
using Lekhika.Daemon.Dispatch;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Signals;
using Lekhika.Workflows;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>
/// Starts a stored workflow as an execution of its own, a child, and waits for its end without holding a slot.
///
///   look up ─► record the wait and insert the child in one transaction ─► parked ─► the child's end is an event ─► outcome
///
/// A crash starts nothing twice: there is a recorded wait if and only if there is a child. Its id is derived from parent, step key and run, and from
/// the attempt where that is not the first: another attempt starts another child, since a finished one would only fail again.
///
/// A child that failed fails the node. Its own nodes had their retries, so the node is tried again only if it says <c>retry</c> itself; the defaults of
/// the configuration do not apply. A child that was cancelled because its parent had ended (and was resumed) is started anew.
/// </summary>
internal sealed class SubworkflowRunner(IChildSource? source, int maxDepth) : INodeRunner
{
    /// <summary>What the decision of the wait for a child says.</summary>
    public const string Kind = "child";

    public async ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        var node = call.Step.Node.Id;
        if (source is null)
        {
            return new NodeFailed(
                ErrorCodes.SubworkflowFailed, $"Node '{node}' starts a stored workflow, which needs a database: submit this workflow to a daemon.");
        }

        if (!Guid.TryParse(call.Config.Text("workflow_id"), out var workflow))
        {
            return new NodeFailed(
                ErrorCodes.InvalidInput,
                $"Node '{node}': config.workflow_id must be the id (a UUID) of a stored workflow, but is \"{call.Config.Text("workflow_id")}\".");
        }

        var inputs = call.Config.Get("inputs") ?? JsonConstants.EmptyObject;
        if (inputs.ValueKind != JsonValueKind.Object)
        {
            return new NodeFailed(
                ErrorCodes.InvalidInput, $"Node '{node}': config.inputs must be an object of names and values, but is {NodeConfig.TextOf(inputs)}.");
        }

        if (Unstorable.IsIn(inputs))
        {
            return new NodeFailed(
                ErrorCodes.BadData, $"Node '{node}': config.inputs holds a NUL character or half a surrogate pair, which PostgreSQL cannot store in jsonb.");
        }

        var target = await source.FindAsync(call.Run.Id, workflow, maxDepth, cancellationToken);
        return Refusal(node, workflow, target) ?? Start(call, workflow, target.Name, inputs);
    }

    public ValueTask<NodeOutcome> ResumeAsync(NodeCall call, PendingWait wait, CancellationToken cancellationToken) =>
        ValueTask.FromResult<NodeOutcome>(new NodeFailed(new StepError(
            ErrorCodes.NodeTimeout,
            $"Node '{call.Step.Node.Id}': the execution {ChildOf(wait)} that it started had not ended by {wait.DueAt:u}, the node's time limit; it is cancelled.",
            Retryable: call.Step.Node.Definition.Retry is not null))
        {
            Abandoned = ChildOf(wait),
        });

    public IEnumerable<string> Topics(PendingWait wait, bool isOnlyGate) => [EventTopic.Child(wait.Step.Key, wait.Attempt)];

    public NodeOutcome? Answer(NodeCall call, PendingWait wait, WaitEvent given)
    {
        if (given.Child is not { } end) return null;
        var id = ChildOf(wait);
        if (end.Status == "completed")
        {
            return new NodeSucceeded(JsonConstants.Object(writer =>
            {
                writer.WriteString("execution_id", id.ToString());
                writer.WriteString("status", end.Status);
                writer.WritePropertyName("result");
                if (end.Result is { } result) result.WriteTo(writer);
                else writer.WriteNullValue();
            }));
        }

        var error = new StepError(
            ErrorCodes.SubworkflowFailed,
            $"Node '{call.Step.Node.Id}': the execution {id} that it started {Ended(end)}.",
            Retryable: end.Status == "failed" && call.Step.Node.Definition.Retry is not null,
            Details(id, end));
        return end.ErrorDetails is { } details && details.Text("reason") == "parent_ended" ? new NodeStartsAnew(error) : new NodeFailed(error);
    }

    private NodeFailed? Refusal(string node, Guid workflow, ChildTarget target) => target switch
    {
        { IsActive: null } => new NodeFailed(ErrorCodes.WorkflowNotFound, $"Node '{node}': there is no workflow {workflow} (config.workflow_id)."),
        { IsActive: false } => new NodeFailed(
            ErrorCodes.WorkflowInactive, $"Node '{node}': workflow {workflow} \"{target.Name}\" is not active (is_active = false)."),
        _ when target.ParentDepth + 1 > maxDepth => new NodeFailed(
            ErrorCodes.SubworkflowDepth,
            $"Node '{node}': sub-workflows would be nested {target.ParentDepth + 1} deep; the limit is {maxDepth} (limits.subworkflow_depth). "
            + "A workflow that starts itself must come to an end before."),
        _ => null,
    };

    private static NodeOutcome Start(NodeCall call, Guid workflow, string name, JsonElement inputs)
    {
        var waits = call.Config.Flag("wait", otherwise: true);
        var id = DerivedId.OfChild(call.Run.Id, call.Step.Key, call.Run.Run, call.Attempt);
        var child = new ChildStart(id, call.Step.Key, call.Attempt, workflow, inputs, waits);
        if (!waits)
        {
            return new NodeSucceeded(JsonConstants.Object(writer =>
            {
                writer.WriteString("execution_id", id.ToString());
                writer.WriteString("status", "pending");
            }))
            {
                Child = child,
            };
        }

        DateTimeOffset? due = call.Step.Node.Definition.Timeout is { } limit ? call.Now + limit : null;
        return new NodeWaits(due, JsonConstants.Object(writer =>
        {
            writer.WriteString("kind", Kind);
            writer.WriteString("execution_id", id.ToString());
            writer.WriteString("workflow_id", workflow.ToString());
            writer.WriteString("workflow_name", name);
        }))
        {
            Child = child,
        };
    }

    /// <summary>The child that a wait is for; null if it is for something else.</summary>
    public static Guid? AwaitedChild(PendingWait wait) => wait.Decision?.Text("kind") == Kind ? ChildOf(wait) : null;

    private static Guid ChildOf(PendingWait wait) => Guid.TryParse(wait.Decision?.Text("execution_id"), out var id) ? id : Guid.Empty;

    private static string Ended(ChildEnd end) => end.Status switch
    {
        "failed" => $"failed: {end.Error}",
        "cancelled" => "was cancelled",
        _ => "was deleted",
    };

    private static JsonElement Details(Guid id, ChildEnd end) => JsonConstants.Object(writer =>
    {
        writer.WriteString("execution_id", id.ToString());
        writer.WriteString("status", end.Status);
        if (end.ErrorDetails is not { } details) return;
        writer.WritePropertyName("error");
        details.WriteTo(writer);
    });
}

using System.Text.Json;
using Lekhika.Postgres.Signals;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Nodes;

/// <summary>Runs the nodes of one type. One instance serves all executions; it keeps nothing about any of them.</summary>
internal interface INodeRunner
{
    /// <summary>
    /// Whether an attempt holds an execution slot. Model calls do not: they wait in lanes of their own bounds, and a lane must see all the
    /// work there is.
    /// </summary>
    bool HoldsSlot => true;

    /// <summary>
    /// Runs one attempt. Runners of pure nodes answer at once. An exception other than cancellation is a fault of the runner and fails the
    /// attempt as <c>internal_error</c>.
    /// </summary>
    /// <param name="call">The node, its rendered configuration and what it may ask about the run.</param>
    /// <param name="cancellationToken">Stop, time limit or shutdown.</param>
    ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken);

    /// <summary>Goes on after a wait that is due.</summary>
    ValueTask<NodeOutcome> ResumeAsync(NodeCall call, PendingWait wait, CancellationToken cancellationToken) =>
        ValueTask.FromResult<NodeOutcome>(new NodeFailed(Workflows.ErrorCodes.InternalError, $"A node of type {call.Step.Node.Definition.Type} does not wait."));

    /// <summary>
    /// The topics of the events that a wait can be ended by, see <see cref="EventTopic"/>. Only these wake the execution, and whatever wakes it is
    /// consumed.
    /// </summary>
    /// <param name="wait">The wait.</param>
    /// <param name="isOnlyGate">Whether no other approval of the run is open, so that an answer that names no step can mean only this one.</param>
    IEnumerable<string> Topics(PendingWait wait, bool isOnlyGate) => [];

    /// <summary>Ends a wait by an event. Null: the event says nothing that could be an answer; it is consumed all the same, and the wait goes on.</summary>
    NodeOutcome? Answer(NodeCall call, PendingWait wait, WaitEvent given) => null;

    /// <summary>Decides whether a loop makes another pass.</summary>
    bool DecideIteration(NodeCall call, int iteration) => false;

    /// <summary>Whether <see cref="Close"/> is to be asked for the output of a scope; without it the state machine's own is recorded.</summary>
    bool ShapesOutput => false;

    /// <summary>Makes the output of a scope whose iterations are over.</summary>
    /// <param name="call">The map or loop.</param>
    /// <param name="output">What the state machine makes of it: items and count.</param>
    NodeOutcome Close(NodeCall call, JsonElement output) => new NodeSucceeded(output);
}

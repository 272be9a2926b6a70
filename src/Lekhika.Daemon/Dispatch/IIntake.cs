using Lekhika.Postgres.Executions;

namespace Lekhika.Daemon.Dispatch;

/// <summary>Where requests become executions.</summary>
internal interface IIntake
{
    /// <summary>
    /// Makes an execution durable. With a free slot it is inserted already claimed by this daemon and starts at once; without one it waits in the
    /// queue for any daemon.
    /// </summary>
    /// <exception cref="IntakeClosedException">This daemon cannot take work just now (database away, shutting down).</exception>
    Task<SubmissionResult> SubmitAsync(Submission submission, CancellationToken cancellationToken);

    /// <summary>Somebody changed the status of an execution: whoever holds it looks at its row at once.</summary>
    void HintCommands();

    /// <summary>A signal was sent: whoever waits for it is looked for at once.</summary>
    void HintEvents();
}

/// <summary>Work cannot be taken just now; the message says why, and trying again later is right.</summary>
internal sealed class IntakeClosedException(string message, Exception? inner = null) : Exception(message, inner);

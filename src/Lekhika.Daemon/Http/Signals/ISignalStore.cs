using Lekhika.Postgres.Signals;

namespace Lekhika.Daemon.Http.Signals;

/// <summary>What HTTP asks of the database about signals.</summary>
internal interface ISignalStore
{
    /// <summary>Sends one; committed when it returns accepted.</summary>
    Task<(SignalVerdict Verdict, string? Status)> SendAsync(SignalToSend signal, CancellationToken cancellationToken);

    /// <summary>Whether a signal was sent under that id.</summary>
    Task<bool> IsKnownAsync(Guid id, CancellationToken cancellationToken);

    /// <summary>The approvals that a run has come to, open and answered.</summary>
    Task<List<ApprovalGate>> GatesAsync(long exec, int run, CancellationToken cancellationToken);
}

/// <summary>The same, from PostgreSQL.</summary>
internal sealed class SignalStore(SignalWriter writer) : ISignalStore
{
    public Task<(SignalVerdict Verdict, string? Status)> SendAsync(SignalToSend signal, CancellationToken cancellationToken) =>
        writer.SendAsync(signal, cancellationToken);

    public Task<bool> IsKnownAsync(Guid id, CancellationToken cancellationToken) => writer.IsKnownAsync(id, cancellationToken);

    public Task<List<ApprovalGate>> GatesAsync(long exec, int run, CancellationToken cancellationToken) => writer.GatesAsync(exec, run, cancellationToken);
}

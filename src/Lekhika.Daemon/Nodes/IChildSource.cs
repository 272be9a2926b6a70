using Lekhika.Postgres;
using Lekhika.Postgres.Signals;

namespace Lekhika.Daemon.Nodes;

/// <summary>Where sub-workflow nodes look up what they are to start.</summary>
internal interface IChildSource
{
    /// <summary>How deep the parent stands, and the workflow. Waits while the database is away.</summary>
    Task<ChildTarget> FindAsync(Guid parent, Guid workflow, int limit, CancellationToken cancellationToken);
}

/// <summary>The same from PostgreSQL.</summary>
internal sealed class ChildSource(ChildReader reader, TimeProvider time) : IChildSource
{
    public Task<ChildTarget> FindAsync(Guid parent, Guid workflow, int limit, CancellationToken cancellationToken) =>
        PatientRead.RunAsync(token => reader.FindAsync(parent, workflow, limit, token), time, cancellationToken);
}

/// <summary>Reads that a run cannot go on without: tried until the database answers.</summary>
internal static class PatientRead
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    public static async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> read, TimeProvider time, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await read(cancellationToken);
            }
            catch (Exception exception) when (Database.IsTransient(exception))
            {
                // Given up because of the abort, not failed: who reads takes any other exception for a fault.
                cancellationToken.ThrowIfCancellationRequested();
                await Task.Delay(Pause, time, cancellationToken);
            }
        }
    }
}

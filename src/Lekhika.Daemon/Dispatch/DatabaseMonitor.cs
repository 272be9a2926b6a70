using Lekhika.Postgres;
using Lekhika.Postgres.Migrations;

namespace Lekhika.Daemon.Dispatch;

/// <summary>
/// Looks every few seconds whether the database answers and its schema is one this build serves, keeps the database's clock, and says what it found in
/// <see cref="DaemonState"/>. It is what makes the daemon start degraded and recover by itself.
/// </summary>
internal sealed partial class DatabaseMonitor(Database database, DaemonState state, DatabaseClock clock, TimeProvider time, ILogger<DatabaseMonitor> logger)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly Probe _probe = new(database);
    private volatile TaskCompletionSource _usable = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Tried once: whatever came of it is in the state.</summary>
    public TaskCompletionSource Tried { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Waits until the database can be worked with.</summary>
    public Task UsableAsync(CancellationToken cancellationToken) => _usable.Task.WaitAsync(cancellationToken);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await LookAsync(cancellationToken);
            Tried.TrySetResult();
            try
            {
                await Task.Delay(state.DatabaseProblem is null ? TimeSpan.FromSeconds(3) : TimeSpan.FromSeconds(1), time, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        var before = state.DatabaseProblem;
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(Patience);
            var (version, now, asked, answered) = await _probe.LookAsync(time, patience.Token);
            clock.Observe(now, asked, answered);
            state.SchemaVersion = version.Version;
            state.DatabaseProblem = version switch
            {
                { Version: 0 } => "the database has no schema yet; run 'lekhika-daemon migrate'",
                { IsServable: false } when version.Version < Migration.Latest =>
                    $"the schema is version {version.Version}, this build needs {Migration.Latest}; run 'lekhika-daemon migrate'",
                { IsServable: false } => $"the schema is newer than this build can serve (it asks for {version.MinReader}); upgrade lekhika-daemon",
                _ => null,
            };
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return;
        }
        catch (OperationCanceledException)
        {
            state.DatabaseProblem = $"no answer from {database.Host} within {Patience.TotalSeconds:0} s";
        }
        catch (Exception exception)
        {
            state.DatabaseProblem = Describe(exception);
        }

        if (state.DatabaseProblem == before) return;
        if (state.DatabaseProblem is { } problem)
        {
            if (_usable.Task.IsCompleted) _usable = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            LogUnusable(logger, database.Name, database.Host, problem);
        }
        else
        {
            LogUsable(logger, database.Name, database.Host, state.SchemaVersion ?? 0);
            _usable.TrySetResult();
        }
    }

    private static string Describe(Exception exception)
    {
        while (exception is AggregateException or Npgsql.NpgsqlException { InnerException: not null } and not Npgsql.PostgresException)
        {
            exception = exception.InnerException!;
        }

        return exception is Npgsql.PostgresException postgres ? $"{postgres.MessageText} (SQLSTATE {postgres.SqlState})" : exception.Message;
    }

    [LoggerMessage(3301, LogLevel.Warning, "Database {Database} on {Host} cannot be used: {Problem}. Trying until it can.")]
    private static partial void LogUnusable(ILogger logger, string database, string host, string problem);

    [LoggerMessage(3302, LogLevel.Information, "Database {Database} on {Host} is usable, schema version {Version}")]
    private static partial void LogUsable(ILogger logger, string database, string host, int version);
}

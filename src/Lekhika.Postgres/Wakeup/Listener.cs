using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Lekhika.Postgres.Wakeup;

/// <summary>What a notification was about.</summary>
[Flags]
public enum WakeReason
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>There may be something to claim.</summary>
    Ready = 1,

    /// <summary>Somebody changed the status of an execution.</summary>
    Commands = 2,

    /// <summary>There are events for executions that wait.</summary>
    Events = 4,
}

/// <summary>
/// One connection that LISTENs. A notification is a hint that saves waiting for the next poll and is never relied upon: while the connection is
/// away, or a pooler makes LISTEN useless, everything works at the pace of the poll.
/// </summary>
public sealed partial class Listener : IAsyncDisposable
{
    private readonly Database _database;
    private readonly Action<WakeReason> _wake;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    /// <summary>Starts listening.</summary>
    /// <param name="database">Where.</param>
    /// <param name="wake">Called from the listening loop; must be quick and must not throw.</param>
    /// <param name="time">For the pauses between tries.</param>
    /// <param name="logger">For the log.</param>
    public Listener(Database database, Action<WakeReason> wake, TimeProvider time, ILogger<Listener> logger)
    {
        (_database, _wake, _time, _logger) = (database, wake, time, logger);
        _loop = Task.Run(ListenLoopAsync);
    }

    /// <summary>Whether notifications arrive just now.</summary>
    public bool IsListening { get; private set; }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }

    private async Task ListenLoopAsync()
    {
        var delay = TimeSpan.FromSeconds(1);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await ListenAsync();
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                if (IsListening) LogLost(_logger, exception.Message);
                IsListening = false;
            }

            try
            {
                await Task.Delay(delay, _time, _stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    [SuppressMessage("Security", "CA2100", Justification = "The channel's name is derived from a checked schema name.")]
    private async Task ListenAsync()
    {
        await using var connection = await _database.OpenAsync(_stop.Token);
        connection.Notification += (_, notification) =>
            _wake(notification.Payload switch
            {
                "commands" => WakeReason.Commands,
                "events" => WakeReason.Events,
                _ => WakeReason.Ready,
            });
        await using (var command = new NpgsqlCommand($"LISTEN \"{_database.Statements.Channel}\"", connection))
        {
            await command.ExecuteNonQueryAsync(_stop.Token);
        }

        IsListening = true;
        LogListening(_logger, _database.Statements.Channel);
        // What was notified before the LISTEN was not heard.
        _wake(WakeReason.Ready | WakeReason.Commands | WakeReason.Events);
        try
        {
            while (true)
            {
                // A half-open connection stays silent for ever; a look now and then finds it out.
                if (await connection.WaitAsync(TimeSpan.FromSeconds(30), _stop.Token)) continue;
                await using var alive = new NpgsqlCommand("SELECT 1", connection) { CommandTimeout = 10 };
                await alive.ExecuteScalarAsync(_stop.Token);
            }
        }
        finally
        {
            // The pool resets nothing. A connection that is broken does not go back to it.
            if (connection.State == System.Data.ConnectionState.Open)
            {
                await using var unlisten = new NpgsqlCommand("UNLISTEN *", connection) { CommandTimeout = 5 };
                await unlisten.ExecuteNonQueryAsync(CancellationToken.None);
            }
        }
    }

    [LoggerMessage(2201, LogLevel.Information, "Listening on channel {Channel}")]
    private static partial void LogListening(ILogger logger, string channel);

    [LoggerMessage(2202, LogLevel.Warning, "Listening connection lost ({Reason}); polling until it is back")]
    private static partial void LogLost(ILogger logger, string reason);
}

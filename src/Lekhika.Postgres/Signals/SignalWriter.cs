using Lekhika.Postgres.Executions;
using Npgsql;
using NpgsqlTypes;

namespace Lekhika.Postgres.Signals;

/// <summary>A signal to be sent.</summary>
/// <param name="Id">Taken once.</param>
/// <param name="ExecutionId">To which execution.</param>
/// <param name="Name">Without control characters, at most 200 characters.</param>
/// <param name="StepKey">To which step; null for whichever waits for it.</param>
/// <param name="Payload">JSON text; null for none.</param>
public sealed record SignalToSend(Guid Id, Guid ExecutionId, string Name, string? StepKey, string? Payload);

/// <summary>What became of a signal.</summary>
public enum SignalVerdict
{
    /// <summary>It is durable.</summary>
    Accepted,

    /// <summary>That id was taken before, for the same execution; nothing was done.</summary>
    Repeated,

    /// <summary>That id was taken before, for another execution.</summary>
    Taken,

    /// <summary>The execution is finished.</summary>
    Finished,

    /// <summary>There is no such execution.</summary>
    Missing,
}

/// <summary>Sends signals, and says which approvals are open.</summary>
public sealed class SignalWriter(Database database)
{
    /// <summary>Sends one; durable once it returns <see cref="SignalVerdict.Accepted"/>.</summary>
    /// <returns>What became of it, and the execution's status.</returns>
    public async Task<(SignalVerdict Verdict, string? Status)> SendAsync(SignalToSend signal, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(signal);
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.SendSignal, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = signal.Id });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = signal.ExecutionId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = signal.Name });
        command.Parameters.AddValue(signal.StepKey, NpgsqlDbType.Text);
        command.Parameters.AddValue(signal.Payload, NpgsqlDbType.Jsonb);
        await database.PrepareAsync(command, cancellationToken);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var verdict = reader.GetString(0) switch
        {
            "accepted" => SignalVerdict.Accepted,
            "repeated" => SignalVerdict.Repeated,
            "taken" => SignalVerdict.Taken,
            "finished" => SignalVerdict.Finished,
            _ => SignalVerdict.Missing,
        };
        return (verdict, reader.IsDBNull(1) ? null : reader.GetString(1));
    }

    /// <summary>Whether a signal was sent under that id.</summary>
    public async Task<bool> IsKnownAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.KnowsSignal, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    /// <summary>The approvals that a run has come to, open and answered.</summary>
    public async Task<List<ApprovalGate>> GatesAsync(long exec, int run, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.Gates, connection);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = exec });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = run });
        await database.PrepareAsync(command, cancellationToken);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var gates = new List<ApprovalGate>();
        while (await reader.ReadAsync(cancellationToken))
        {
            gates.Add(new ApprovalGate(
                reader.GetString(0),
                reader.IsDBNull(1) ? null : reader.GetFieldValue<DateTimeOffset>(1),
                reader.IsDBNull(2) ? null : JsonText.ParseReadable(reader.GetString(2)),
                reader.IsDBNull(3) ? null : reader.IsDBNull(4) ? reader.GetString(3) : reader.GetString(4)));
        }

        return gates;
    }
}

/// <summary>An approval that a run has come to.</summary>
/// <param name="StepKey">Its step.</param>
/// <param name="DueAt">When its time is over; null if it waits without end.</param>
/// <param name="Asked">What is asked: message, options, default.</param>
/// <param name="Answer">The answer it was given (or the outcome it ended with); null while it is open.</param>
public sealed record ApprovalGate(string StepKey, DateTimeOffset? DueAt, System.Text.Json.JsonElement? Asked, string? Answer);

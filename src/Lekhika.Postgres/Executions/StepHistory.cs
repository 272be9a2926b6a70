using Lekhika.Workflows.Execution;
using Npgsql;
using NpgsqlTypes;

namespace Lekhika.Postgres.Executions;

/// <summary>A later run of an execution.</summary>
/// <param name="Run">Its number, from 2.</param>
/// <param name="OpenedAt">When it was opened.</param>
/// <param name="Reason">Why.</param>
public sealed record OpenedRun(int Run, DateTimeOffset OpenedAt, string? Reason);

/// <summary>Part of the records of an execution.</summary>
/// <param name="Records">In the order they were decided.</param>
/// <param name="Next">How many to skip to go on; null at the end.</param>
public sealed record StepPage(IReadOnlyList<StepRecord> Records, int? Next);

/// <summary>Reads what executions did, part by part: a long one has more outputs than fit into memory.</summary>
public sealed class StepHistory(Database database)
{
    private const int MaxTextPerPage = 8 * 1024 * 1024;

    private readonly string _page = database.Statements.Text("""
        SELECT run, step_key, attempt, outcome, branch, fired_by, due_at, started_at, finished_at, error, metrics, CASE WHEN $3 THEN output END
          FROM {schema}.workflow_execution_steps
         WHERE seq = $1 AND ($2::int IS NULL OR run = $2)
         ORDER BY run, finished_at NULLS FIRST, step_key, ordinal DESC
         LIMIT $4 OFFSET $5
        """);

    private readonly string _runs = database.Statements.Text(
        "SELECT run, opened_at, reason FROM {schema}.execution_runs WHERE seq = $1 ORDER BY run LIMIT 1000");

    /// <summary>Records from a place on. A page ends early where its outputs become large.</summary>
    /// <param name="exec">The execution.</param>
    /// <param name="run">One run; null for all.</param>
    /// <param name="withOutputs">Whether outputs are wanted.</param>
    /// <param name="skip">How many to leave out.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<StepPage> PageAsync(long exec, int? run, bool withOutputs, int skip, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(_page, connection);
        command.Parameters.AddValue(exec, NpgsqlDbType.Bigint);
        command.Parameters.AddValue(run, NpgsqlDbType.Integer);
        command.Parameters.AddValue(withOutputs, NpgsqlDbType.Boolean);
        command.Parameters.AddValue(limit + 1, NpgsqlDbType.Integer);
        command.Parameters.AddValue(skip, NpgsqlDbType.Integer);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var records = new List<StepRecord>();
        var length = 0L;
        while (await reader.ReadAsync(cancellationToken))
        {
            if (records.Count == limit || length > MaxTextPerPage) return new StepPage(records, skip + records.Count);
            var output = TextAt(reader, 11);
            length += output?.Length ?? 0;
            records.Add(new StepRecord
            {
                Run = reader.GetInt32(0),
                Key = reader.GetString(1),
                Attempt = reader.GetInt32(2),
                Outcome = StepOutcomes.Parse(reader.GetString(3)),
                Branch = TextAt(reader, 4),
                FiredBy = TextAt(reader, 5),
                DueAt = TimeAt(reader, 6),
                StartedAt = TimeAt(reader, 7),
                FinishedAt = TimeAt(reader, 8),
                Error = StepOutcomes.ParseError(TextAt(reader, 9)),
                Metrics = JsonText.ParseOrNull(TextAt(reader, 10)),
                Output = JsonText.ParseOrNull(output),
            });
        }

        return new StepPage(records, null);
    }

    /// <summary>The runs after the first.</summary>
    public async Task<List<OpenedRun>> RunsAsync(long exec, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(_runs, connection);
        command.Parameters.AddValue(exec, NpgsqlDbType.Bigint);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var runs = new List<OpenedRun>();
        while (await reader.ReadAsync(cancellationToken))
            runs.Add(new OpenedRun(reader.GetInt32(0), reader.GetFieldValue<DateTimeOffset>(1), TextAt(reader, 2)));
        return runs;
    }

    private static string? TextAt(NpgsqlDataReader reader, int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetString(ordinal);

    private static DateTimeOffset? TimeAt(NpgsqlDataReader reader, int ordinal) =>
        reader.IsDBNull(ordinal) ? null : reader.GetFieldValue<DateTimeOffset>(ordinal);
}

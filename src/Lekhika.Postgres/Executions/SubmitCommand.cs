using Npgsql;
using NpgsqlTypes;

namespace Lekhika.Postgres.Executions;

/// <summary>What is to be inserted, and by whom it is held if it is claimed.</summary>
internal readonly record struct SubmitItem(long Incarnation, bool Claim, Submission Submission);

/// <summary>The calls of <c>submit</c> and <c>submit_many</c>.</summary>
internal static class SubmitCommand
{
    /// <summary>Inserts one, waiting for whoever is inserting the same.</summary>
    public static async Task<SubmissionResult> OneAsync(Database database, SubmitItem item, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.Submit, connection);
        var submission = item.Submission;
        command.Parameters.AddValue(item.Incarnation, NpgsqlDbType.Bigint);
        command.Parameters.AddValue(item.Claim, NpgsqlDbType.Boolean);
        command.Parameters.AddValue(submission.Id, NpgsqlDbType.Uuid);
        command.Parameters.AddValue(submission.WorkflowId, NpgsqlDbType.Uuid);
        command.Parameters.AddValue(submission.Definition, NpgsqlDbType.Jsonb);
        command.Parameters.AddValue(submission.Inputs, NpgsqlDbType.Jsonb);
        command.Parameters.AddValue(submission.UserId, NpgsqlDbType.Text);
        command.Parameters.AddValue(submission.Priority, NpgsqlDbType.Integer);
        command.Parameters.AddValue(submission.RunAt?.UtcDateTime, NpgsqlDbType.TimestampTz);
        command.Parameters.AddValue(submission.TimeoutAt?.UtcDateTime, NpgsqlDbType.TimestampTz);
        command.Parameters.AddValue(submission.IdempotencyKey, NpgsqlDbType.Text);
        command.Parameters.AddValue(submission.Request, NpgsqlDbType.Jsonb);
        command.Parameters.AddValue(submission.RequestHash, NpgsqlDbType.Uuid);
        await database.PrepareAsync(command, cancellationToken);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return Read(reader, 0);
    }

    /// <summary>Inserts many in one commit: all of them or none.</summary>
    /// <param name="database">Where.</param>
    /// <param name="items">Sorted by id.</param>
    /// <param name="cancellationToken">Aborts the statement.</param>
    public static async Task<SubmissionResult[]> ManyAsync(Database database, List<SubmitItem> items, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.SubmitMany, connection);
        var to = command.Parameters;
        to.AddArray(items, NpgsqlDbType.Bigint, static item => item.Incarnation);
        to.AddArray(items, NpgsqlDbType.Boolean, static item => item.Claim);
        to.AddArray(items, NpgsqlDbType.Uuid, static item => item.Submission.Id);
        to.AddSparseArray(items, NpgsqlDbType.Uuid, static item => item.Submission.WorkflowId);
        to.AddSparseArray(items, NpgsqlDbType.Jsonb, static item => item.Submission.Definition);
        to.AddSparseArray(items, NpgsqlDbType.Jsonb, static item => item.Submission.Inputs);
        to.AddSparseArray(items, NpgsqlDbType.Text, static item => item.Submission.UserId);
        to.AddArray(items, NpgsqlDbType.Integer, static item => item.Submission.Priority);
        to.AddSparseArray(items, NpgsqlDbType.TimestampTz, static item => item.Submission.RunAt?.UtcDateTime);
        to.AddSparseArray(items, NpgsqlDbType.TimestampTz, static item => item.Submission.TimeoutAt?.UtcDateTime);
        to.AddSparseArray(items, NpgsqlDbType.Text, static item => item.Submission.IdempotencyKey);
        to.AddSparseArray(items, NpgsqlDbType.Jsonb, static item => item.Submission.Request);
        to.AddSparseArray(items, NpgsqlDbType.Uuid, static item => item.Submission.RequestHash);
        await database.PrepareAsync(command, cancellationToken);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var results = new SubmissionResult[items.Count];
        while (await reader.ReadAsync(cancellationToken)) results[reader.GetInt64(0) - 1] = Read(reader, 1);
        return results;
    }

    private static SubmissionResult Read(NpgsqlDataReader reader, int from) => new(
        reader.GetBoolean(from), reader.GetBoolean(from + 1), reader.GetGuid(from + 2), reader.GetInt64(from + 3), reader.GetString(from + 4),
        reader.GetInt32(from + 5), reader.IsDBNull(from + 6) ? null : reader.GetGuid(from + 6), reader.GetFieldValue<DateTimeOffset>(from + 7))
    {
        DefinitionHash = reader.IsDBNull(from + 8) ? null : reader.GetGuid(from + 8),
        WorkflowActive = reader.IsDBNull(from + 9) ? null : reader.GetBoolean(from + 9),
    };
}

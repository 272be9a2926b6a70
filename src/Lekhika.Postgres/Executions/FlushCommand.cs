using System.Text.Json;
using Lekhika.Workflows.Execution;
using Npgsql;
using NpgsqlTypes;

namespace Lekhika.Postgres.Executions;

/// <summary>One call of <c>flush</c>: entries become parallel arrays, verdicts become replies.</summary>
internal static class FlushCommand
{
    private static readonly JournalReply Finished = new(JournalVerdict.Committed);

    /// <param name="database">Where.</param>
    /// <param name="connection">On which connection.</param>
    /// <param name="incarnation">Who.</param>
    /// <param name="workerId">Who, for people.</param>
    /// <param name="entries">Sorted by execution, one each.</param>
    /// <param name="cancellationToken">Aborts the statement.</param>
    /// <returns>A reply for each entry; null where the row is locked by somebody else.</returns>
    public static async Task<JournalReply?[]> ExecuteAsync(
        Database database, NpgsqlConnection connection, long incarnation, string workerId, List<JournalEntry> entries, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(database.Statements.Flush, connection);
        AddItems(command.Parameters, incarnation, workerId, entries);
        AddSteps(command.Parameters, entries);
        command.Parameters.AddArray(
            entries.Exists(static entry => entry.Aside is not null) ? entries.Select(static entry => entry.Aside?.ToJson()).ToArray() : null,
            NpgsqlDbType.Jsonb);
        await database.PrepareAsync(command, cancellationToken);

        // Verdicts come in the order of the entries; what is left out is finished and committed.
        var replies = new JournalReply?[entries.Count];
        var next = 0;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var exec = reader.GetInt64(0);
            while (entries[next].Fence.Exec != exec) replies[next++] = Finished;
            var i = next++;
            var verdict = reader.GetString(1) switch
            {
                "committed" => JournalVerdict.Committed,
                "conflict" => JournalVerdict.Conflict,
                "fenced" => JournalVerdict.Fenced,
                "late" => JournalVerdict.Late,
                "finished" => JournalVerdict.Finished,
                "other_run" => JournalVerdict.OtherRun,
                "resumed" => JournalVerdict.Resumed,
                "missing" => JournalVerdict.Missing,
                _ => (JournalVerdict?)null,
            };
            if (verdict is null) continue;
            replies[i] = new JournalReply(
                verdict.Value,
                reader.IsDBNull(2) ? null : reader.GetString(2),
                reader.IsDBNull(3) ? null : reader.GetInt32(3));
        }

        while (next < replies.Length) replies[next++] = Finished;
        return replies;
    }

    private static void AddItems(NpgsqlParameterCollection to, long incarnation, string workerId, List<JournalEntry> entries)
    {
        to.Add(new NpgsqlParameter<long> { TypedValue = incarnation });
        to.Add(new NpgsqlParameter<string> { TypedValue = workerId });
        to.AddArray(entries, NpgsqlDbType.Bigint, static entry => entry.Fence.Exec);
        to.AddArray(entries, NpgsqlDbType.Integer, static entry => entry.Fence.Epoch);
        to.AddArray(entries, NpgsqlDbType.Integer, static entry => entry.Fence.Run);
        to.AddArray(entries, NpgsqlDbType.Smallint, static entry => (short)entry.Kind);
        to.AddSparseArray(entries, NpgsqlDbType.Text, static entry => entry.Status);
        to.AddSparseArray(entries, NpgsqlDbType.Text, static entry => entry.NodeId);
        to.AddSparseArray(entries, NpgsqlDbType.Jsonb, static entry => Raw(entry.Result));
        to.AddSparseArray(entries, NpgsqlDbType.Text, static entry => entry.Error);
        to.AddSparseArray(entries, NpgsqlDbType.Jsonb, static entry => Raw(entry.ErrorDetails));
        to.AddArray(entries, NpgsqlDbType.Bigint, static entry => entry.TokensIn);
        to.AddArray(entries, NpgsqlDbType.Bigint, static entry => entry.TokensOut);
        to.AddArray(entries, NpgsqlDbType.Bigint, static entry => entry.Words);
        to.AddSparseArray(entries, NpgsqlDbType.TimestampTz, static entry => Utc(entry.StartedAt));
        to.AddSparseArray(entries, NpgsqlDbType.TimestampTz, static entry => Utc(entry.DueAt));
        to.AddSparseArray(entries, NpgsqlDbType.Text, static entry => entry.Why);
        to.AddSparseArray(entries, NpgsqlDbType.Jsonb, static entry => Raw(entry.WaitingFor));
        to.AddSparseArray(entries, NpgsqlDbType.Jsonb, static entry => entry.Awaits.Count == 0 ? null : TextArray(entry.Awaits));
    }

    private static void AddSteps(NpgsqlParameterCollection to, List<JournalEntry> entries)
    {
        var steps = new List<(int Item, StepRecord Record)>(entries.Count);
        for (var i = 0; i < entries.Count; i++)
        {
            foreach (var record in entries[i].Steps) steps.Add((i + 1, record));
        }

        // By (execution, key): the lock order of everybody who inserts steps. Entries are sorted by execution already.
        steps.Sort(static (left, right) => left.Item != right.Item
            ? left.Item.CompareTo(right.Item)
            : string.CompareOrdinal(left.Record.Key, right.Record.Key));

        to.AddArray(steps, NpgsqlDbType.Integer, static step => step.Item);
        to.AddArray(steps, NpgsqlDbType.Text, static step => step.Record.Key);
        to.AddArray(steps, NpgsqlDbType.Integer, static step => Ordinal(step.Record));
        to.AddArray(steps, NpgsqlDbType.Integer, static step => step.Record.Attempt);
        to.AddArray(steps, NpgsqlDbType.Text, static step => StepOutcomes.Name(step.Record.Outcome));
        to.AddSparseArray(steps, NpgsqlDbType.Text, static step => step.Record.Branch);
        to.AddSparseArray(steps, NpgsqlDbType.Text, static step => step.Record.FiredBy);
        to.AddSparseArray(steps, NpgsqlDbType.TimestampTz, static step => Utc(step.Record.DueAt));
        to.AddSparseArray(steps, NpgsqlDbType.TimestampTz, static step => Utc(step.Record.StartedAt));
        to.AddSparseArray(steps, NpgsqlDbType.TimestampTz, static step => Utc(step.Record.FinishedAt));
        to.AddSparseArray(steps, NpgsqlDbType.Jsonb, static step => Raw(step.Record.Decision));
        to.AddSparseArray(steps, NpgsqlDbType.Jsonb, static step => Raw(step.Record.Output));
        to.AddSparseArray(steps, NpgsqlDbType.Jsonb, static step => StepOutcomes.ErrorText(step.Record.Error));
        to.AddSparseArray(steps, NpgsqlDbType.Jsonb, static step => Raw(step.Record.Metrics));
    }

    /// <summary>0 for the one final outcome; other records by attempt, a wait or an opening apart from a retry.</summary>
    private static int Ordinal(StepRecord record) =>
        record.IsFinal ? 0 : (record.Attempt * 2) - (record.Outcome == StepOutcome.Retrying ? 1 : 0);

    private static string? Raw(JsonElement? element) =>
        element is { ValueKind: not JsonValueKind.Undefined } value ? value.GetRawText() : null;

    private static DateTime? Utc(DateTimeOffset? time) => time?.UtcDateTime;

    private static string TextArray(IReadOnlyList<string> texts)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartArray();
            foreach (var text in texts) writer.WriteStringValue(text);
            writer.WriteEndArray();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}

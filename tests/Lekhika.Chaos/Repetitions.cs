using System.Globalization;
using Lekhika.Chaos.World;
using Npgsql;

namespace Lekhika.Chaos;

/// <summary>
/// Effects that were begun again although their outcome was recorded: never permitted, whoever dies, stands still or was fenced. The times of the record
/// (by PostgreSQL) and of the requests (by the ledger) are those of one machine.
/// </summary>
internal static class Repetitions
{
    /// <summary>A request may lie in the ledger's socket for a while after who sent it has died, and the record of its repetition overtake it.</summary>
    private static readonly TimeSpan OnTheWay = TimeSpan.FromSeconds(2);

    /// <summary>One line for each such request.</summary>
    public static async Task<List<string>> AfterRecordAsync(NpgsqlConnection connection, Ledger ledger, CancellationToken cancellationToken)
    {
        var late = new List<string>();
        await using var command = new NpgsqlCommand(
            """
            SELECT e.id::text || ':' || s.step_key || ':' || s.run, s.at
              FROM audit.steps s JOIN lekhika.workflow_executions e ON e.seq = s.exec
            """, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (!ledger.Entries.TryGetValue(reader.GetString(0), out var entry)) continue;
            var recorded = reader.GetFieldValue<DateTimeOffset>(1);
            late.AddRange(entry.Begun.Where(at => at > recorded + OnTheWay).Select(at =>
                string.Create(CultureInfo.InvariantCulture, $"{reader.GetString(0)}, {(at - recorded).TotalSeconds:0.0} s after its record of {recorded:HH:mm:ss.fff}")));
        }

        return late;
    }
}

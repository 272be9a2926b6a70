using System.Globalization;
using Lekhika.Chaos.World;
using Npgsql;

namespace Lekhika.Chaos;

/// <summary>
/// Effects that were begun again although their outcome was recorded. Effects wait for a valid lease; what one cause alone can explain, and rarely, is
/// counted apart: a daemon that is stopped in the instant between that look and the sending sends when it wakes. The times of the record (by PostgreSQL)
/// and of the requests (by the ledger) are those of one machine.
/// </summary>
internal static class Repetitions
{
    /// <summary>A request may lie in the ledger's socket for a while after who sent it has died, and the record of its repetition overtake it.</summary>
    private static readonly TimeSpan OnTheWay = TimeSpan.FromSeconds(2);

    /// <summary>How long one that wakes may take to send what it had in its hands.</summary>
    private static readonly TimeSpan Waking = TimeSpan.FromSeconds(1.5);

    /// <summary>One for each such request.</summary>
    public static async Task<List<LateEffect>> AfterRecordAsync(NpgsqlConnection connection, Ledger ledger, CancellationToken cancellationToken)
    {
        var late = new List<LateEffect>();
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
            late.AddRange(entry.Begun.Where(at => at > recorded + OnTheWay).Select(at => new LateEffect(
                string.Create(CultureInfo.InvariantCulture, $"{reader.GetString(0)}, {(at - recorded).TotalSeconds:0.0} s after its record of {recorded:HH:mm:ss.fff}"), at)));
        }

        return late;
    }

    /// <summary>Whether it was begun in the moment after somebody woke.</summary>
    public static bool IsOfWaking(LateEffect effect, IEnumerable<DateTimeOffset> wakings) => wakings.Any(woke => effect.Begun >= woke && effect.Begun <= woke + Waking);

    /// <param name="What">Its key, and how late it was.</param>
    /// <param name="Begun">When the request came.</param>
    internal readonly record struct LateEffect(string What, DateTimeOffset Begun);
}

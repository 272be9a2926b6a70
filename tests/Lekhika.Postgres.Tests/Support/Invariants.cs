using Xunit;

namespace Lekhika.Tests.Support;

/// <summary>What must be true of the tables whenever no transaction is open.</summary>
internal static class Invariants
{
    /// <summary>
    /// Every execution that is not finished has exactly one place; a finished one has at most one (its owner, or whoever claims it, gives it
    /// back), and none once <paramref name="settled"/>; held rows belong to incarnations that exist; no place names a missing execution once settled.
    /// </summary>
    public static async Task AssertPlacesAsync(MigratedDatabase database, bool settled, CancellationToken cancellationToken)
    {
        await using var command = database.Sql.CreateCommand(
            """
            WITH places AS (
                SELECT exec, 'ready' AS place, NULL::int AS run FROM lekhika.ready
                UNION ALL SELECT exec, 'held', run FROM lekhika.held
                UNION ALL SELECT exec, 'parked', run FROM lekhika.parked),
            counted AS (
                SELECT coalesce(e.seq, p.exec) AS exec, e.seq IS NOT NULL AS exists, e.status, e.run,
                       count(p.exec) AS places, string_agg(p.place, '+' ORDER BY p.place) AS named,
                       bool_or(p.place = 'parked' AND p.run <> e.run) AS stale
                  FROM lekhika.workflow_executions e
                  FULL JOIN places p ON p.exec = e.seq
                 GROUP BY e.seq, p.exec, e.status, e.run)
            SELECT format('execution %s, status %s, run %s: %s', exec, coalesce(status, '(deleted)'), run, coalesce(named, 'no place'))
              FROM counted
             WHERE places > 1
                OR (exists AND status NOT IN ('completed', 'failed', 'cancelled') AND places <> 1)
                OR ($1 AND places > 0 AND (NOT exists OR status IN ('completed', 'failed', 'cancelled') OR stale))
            UNION ALL
            SELECT format('execution %s is held by incarnation %s, which does not exist', h.exec, h.inc)
              FROM lekhika.held h WHERE NOT EXISTS (SELECT FROM lekhika.workers w WHERE w.inc = h.inc)
             LIMIT 20
            """);
        command.Parameters.AddWithValue(settled);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var broken = new List<string>();
        while (await reader.ReadAsync(cancellationToken)) broken.Add(reader.GetString(0));
        Assert.True(broken.Count == 0, string.Join('\n', broken));
    }
}

using System.Text;

namespace Lekhika.Postgres.Executions;

// No index names a status, so a list by status is read from where executions of that status are to be found:
//
//   pending          ready, parked (for a time to begin)          failed, cancelled   outcomes
//   running          held, ready (rescued)                        completed           the history, newest first
//   waiting          parked, ready (woken)                        (any)               the history, newest first
//   paused, pausing  parked, held
//
// Each source is walked along an index on the execution's number, and at most a given number of its places is looked at: what a page costs is bounded whatever the
// filter finds. The scan's end is returned with the rows, so that the next page goes on from there.

/// <summary>The text of a statement that reads one page of a list.</summary>
internal static class ExecutionListStatement
{
    private const string Pending = "pending";
    private const string Running = "running";
    private const string Waiting = "waiting";
    private const string Paused = "paused";
    private const string Pausing = "pausing";

    // Parameters: $1 below this number, $2 rows, $3 statuses, then one for each of the filter's other fields.
    /// <param name="filter">What to look for.</param>
    /// <param name="scan">Places to look at. Part of the text: as a parameter the planner would take it for a tenth of the table.</param>
    public static string For(ExecutionFilter filter, int scan)
    {
        var text = new StringBuilder("WITH places AS MATERIALIZED (SELECT exec, place, outcome, run FROM (\n");
        text.AppendJoin("\nUNION ALL\n", Sources(filter.Statuses, scan));
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $") p ORDER BY exec DESC LIMIT {scan}),");
        text.Append("""

            edge AS (SELECT min(exec) AS lowest, count(*) AS scanned FROM places),
            page AS (
                SELECT e.*, s.shown
                  FROM places p
                 CROSS JOIN LATERAL (SELECT * FROM {schema}.workflow_executions x WHERE x.seq = p.exec LIMIT 1) e
                 CROSS JOIN LATERAL (SELECT CASE
                           WHEN e.status IN ('completed', 'failed', 'cancelled') THEN
                                CASE WHEN p.place = 'history' OR (p.outcome = e.status AND p.run = e.run) THEN e.status END
                           WHEN p.place = 'outcome' THEN NULL
                           WHEN p.place = 'held' OR (p.place = 'history' AND EXISTS (SELECT FROM {schema}.held h WHERE h.exec = e.seq))
                                THEN CASE e.status WHEN 'paused' THEN 'pausing' ELSE 'running' END
                           WHEN p.place = 'new' AND e.status = 'running' THEN 'pending'
                           ELSE e.status END AS shown OFFSET 0) s
                 WHERE s.shown IS NOT NULL AND ($3::text[] IS NULL OR (s.shown = ANY ($3)
            """);
        // Those are read from their own places; met in the history they would come twice.
        text.Append(" AND (p.place <> 'history' OR s.shown = 'completed')))\n");
        AppendFilters(text, filter);
        text.Append("""
                 ORDER BY p.exec DESC LIMIT $2)
            SELECT edge.lowest, edge.scanned, e.id, e.seq, e.workflow_id,
                   COALESCE(w.name, e.definition->>'name'), e.shown, e.priority, e.user_id,
                   CASE WHEN e.shown = 'completed' THEN 100
                        WHEN e.started_at IS NULL THEN 0
                        ELSE LEAST(99, round(100.0 * done.count / GREATEST(1, all_nodes.count, done.count), 1)) END::float8,
                   e.current_node_id, e.created_at, e.started_at, e.finished_at, e.error, e.error_details->>'code', e.waiting_for,
                   e.tokens_in, e.tokens_out, e.words, e.run, e.attempts, e.parent_id, e.worker_id
              FROM edge
              LEFT JOIN page e ON true
              LEFT JOIN {schema}.workflows w ON w.id = e.workflow_id
              LEFT JOIN {schema}.definitions d ON d.hash = COALESCE(e.definition_hash, w.definition_hash) AND e.definition IS NULL
              LEFT JOIN LATERAL (
                   SELECT count(*) AS count FROM (
                       SELECT s.step_key, s.ordinal FROM {schema}.workflow_execution_steps s WHERE s.seq = e.seq AND s.run = e.run LIMIT 1000) s
                    WHERE s.ordinal = 0 AND s.step_key !~ '[.\[]') done ON e.started_at IS NOT NULL AND e.shown <> 'completed'
              LEFT JOIN LATERAL (
                   SELECT CASE jsonb_typeof(g.nodes)
                          WHEN 'array' THEN jsonb_array_length(g.nodes)
                          WHEN 'object' THEN (SELECT count(*) FROM jsonb_object_keys(g.nodes)) ELSE 0 END AS count
                     FROM (SELECT COALESCE(f.definition->'nodes', f.definition->'graph_config'->'nodes') AS nodes
                             FROM (SELECT COALESCE(e.definition, d.definition) AS definition) f) g) all_nodes
                   ON e.started_at IS NOT NULL AND e.shown <> 'completed'
             ORDER BY e.seq DESC
            """);
        return text.ToString();
    }

    private static void AppendFilters(StringBuilder text, ExecutionFilter filter)
    {
        var next = 4;
        if (filter.Workflow is not null)
        {
            var number = next++;
            text.Append(System.Globalization.CultureInfo.InvariantCulture,
                $$""" AND e.workflow_id = ANY (ARRAY(SELECT w.id FROM {schema}.workflows w WHERE w.name = ${{number}} OR w.id::text = lower(${{number}})))""");
            text.Append('\n');
        }

        if (filter.User is not null) text.Append(System.Globalization.CultureInfo.InvariantCulture, $" AND e.user_id = ${next++}\n");
        if (filter.Model is not null)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $$"""
                 AND EXISTS (SELECT FROM {schema}.workflow_execution_steps s
                              WHERE s.seq = e.seq AND s.run = e.run AND s.metrics->>'model' = ${{next++}})

                """);
        }

        if (filter.Query is not null)
        {
            var number = next;
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $$"""
                 AND (starts_with(e.id::text, lower(${{number}})) OR strpos(lower(e.error), lower(${{number}})) > 0
                      OR strpos(lower(e.user_id), lower(${{number}})) > 0
                      OR e.workflow_id = ANY (ARRAY(SELECT w.id FROM {schema}.workflows w WHERE strpos(lower(w.name), lower(${{number}})) > 0))
                      OR strpos(lower(e.definition->>'name'), lower(${{number}})) > 0)

                """);
        }
    }

    private static IEnumerable<string> Sources(IReadOnlyList<string> statuses, int scan)
    {
        if (statuses.Count == 0)
        {
            yield return Source(scan, "history", "{schema}.workflow_executions", "true", column: "seq");
            yield break;
        }

        var wanted = statuses.ToHashSet(StringComparer.Ordinal);
        if (wanted.Contains("completed")) yield return Source(scan, "history", "{schema}.workflow_executions", "true", column: "seq");
        if (wanted.Overlaps([Running, Paused, Pausing])) yield return Source(scan, "held", "{schema}.held", "true");
        if (wanted.Overlaps([Pending, Waiting, Paused])) yield return Source(scan, "parked", "{schema}.parked", "true");
        if (wanted.Contains(Pending)) yield return Source(scan, "new", "{schema}.ready", "class = 1");
        if (wanted.Overlaps([Pending, Running, Waiting, Paused])) yield return Source(scan, "woken", "{schema}.ready", "class = 0");
        foreach (var status in wanted.Intersect(["failed", "cancelled"]))
            yield return Source(scan, "outcome", "{schema}.outcomes", $"status = '{status}'", column: "seq", outcome: "status", run: "run");
    }

    private static string Source(
        int scan, string place, string table, string condition, string column = "exec", string outcome = "NULL::text", string run = "NULL::int") =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture,
            $"(SELECT {column} AS exec, '{place}' AS place, {outcome} AS outcome, {run} AS run FROM {table} WHERE {condition} AND {column} < $1 ORDER BY {column} DESC LIMIT {scan})");
}

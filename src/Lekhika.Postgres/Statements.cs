using System.Text.RegularExpressions;

namespace Lekhika.Postgres;

/// <summary>
/// Every statement the daemon sends, by name. What changes state is a function of the schema (Migrations/*.sql), where it is explained;
/// here are the calls and the reads. Names are qualified in the text, because a pooler may pass no search_path.
/// </summary>
internal sealed partial class Statements
{
    private readonly string _schema;

    public Statements(string schema)
    {
        if (!SchemaName().IsMatch(schema))
        {
            throw new ArgumentException(
                $"database.schema '{schema}' is not a plain schema name: letters, digits and underscores, not beginning with a digit.", nameof(schema));
        }

        Schema = schema;
        _schema = string.Concat("\"", schema, "\"");
        Channel = schema == "lekhika" ? "lekhika" : "lekhika_" + schema;
    }

    /// <summary>The schema's name, unquoted.</summary>
    public string Schema { get; }

    /// <summary>The channel that producers notify.</summary>
    public string Channel { get; }

    public string Enlist => field ??= Text("SELECT {schema}.enlist($1, $2, $3, $4, $5, $6)");

    public string Beat => field ??= Text("SELECT {schema}.beat($1, $2, $3)");

    public string Claim => field ??= Text("SELECT * FROM {schema}.claim($1, $2, $3, $4, $5, $6, $7)");

    public string Holdings => field ??= Text("SELECT * FROM {schema}.holdings($1, $2)");

    public string Lists => field ??= Text("SELECT class, pri, tenant, head FROM {schema}.lists($1)");

    public string Obey => field ??= Text("SELECT {schema}.obey($1)");

    public string WakeDue => field ??= Text("SELECT moved, next_in FROM {schema}.wake_due($1)");

    public string Rescue => field ??= Text("SELECT {schema}.rescue($1)");

    public string Evict => field ??= Text("SELECT {schema}.evict($1)");

    /// <summary>Evicts an incarnation of the same host: the life before of a worker that restarts.</summary>
    public string TakeOver => field ??= Text(
        "SELECT {schema}.evict(ARRAY(SELECT inc FROM {schema}.workers WHERE inc = $1 AND host = $2 AND NOT revoked))");

    public string Flush => field ??= Text(
        "SELECT exec, verdict, status, run FROM {schema}.flush($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, "
        + "$20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33)");

    public string Submit => field ??= Text(
        "SELECT created, claimed, id, exec, status, run, request_hash, created_at, definition_hash, workflow_active "
        + "FROM {schema}.submit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)");

    /// <summary>What the rows of held executions say now, where that is not simply "go on".</summary>
    public string Standing => field ??= Text("""
        SELECT h.exec, e.status, e.run
          FROM unnest($1, $2) AS h (exec, run)
          LEFT JOIN {schema}.workflow_executions e ON e.seq = h.exec
         WHERE e.seq IS NULL OR e.run <> h.run OR e.status NOT IN ('pending', 'running', 'waiting')
        """);

    /// <summary>The stored steps of one run, in the order they were decided.</summary>
    public string Steps => field ??= Text("""
        SELECT step_key, attempt, outcome, branch, fired_by, due_at, started_at, finished_at, decision, output, error, metrics
          FROM {schema}.workflow_execution_steps
         WHERE seq = $1 AND run = $2
         ORDER BY finished_at NULLS FIRST, step_key, ordinal DESC
        """);

    public string Definition => field ??= Text("SELECT definition FROM {schema}.definitions WHERE hash = $1");

    public string Execution => field ??= Text("""
        SELECT e.id, e.seq, e.workflow_id, e.status, e.priority, e.run, e.attempts, e.current_node_id, e.waiting_for, e.inputs, e.result, e.error,
               e.error_details, e.tokens_in, e.tokens_out, e.words, e.worker_id, e.user_id, e.created_at, e.started_at, e.finished_at,
               e.run_at, e.request_hash, coalesce(e.definition, d.definition),
               (SELECT w.url FROM {schema}.held h JOIN {schema}.workers w ON w.inc = h.inc WHERE h.exec = e.seq)
          FROM {schema}.workflow_executions e
          LEFT JOIN {schema}.workflows w ON w.id = e.workflow_id
          LEFT JOIN {schema}.definitions d ON d.hash = coalesce(e.definition_hash, w.definition_hash)
         WHERE e.id = $1
        """);

    /// <summary>How many places are in front of an execution in its list; null if it is not queued.</summary>
    public string QueuePosition => field ??= Text("""
        SELECT (SELECT count(*) FROM {schema}.ready o
                 WHERE (o.class, o.pri, o.seq) < (r.class, r.pri, r.seq))
          FROM {schema}.ready r
         WHERE r.exec = $1
        """);

    /// <summary>The change of status that a stop, pause or resume by HTTP is: the same one that a backend would make by SQL.</summary>
    public string SetStatus => field ??= Text("""
        UPDATE {schema}.workflow_executions
           SET status = $2, error = CASE WHEN status IN ('completed', 'failed', 'cancelled') THEN error ELSE coalesce($3, error) END
         WHERE id = $1
        RETURNING status, run, seq
        """);

    /// <summary>Resumes what is paused, and only that: over a finished execution the same status would begin a new run.</summary>
    public string Resume => field ??= Text("""
        UPDATE {schema}.workflow_executions SET status = 'running' WHERE id = $1 AND status = 'paused' RETURNING status, run, seq
        """);

    public string SchemaVersion => field ??= Text("SELECT version, min_reader FROM {schema}.schema_version ORDER BY version DESC LIMIT 1");

    /// <summary>Puts the schema's name into a text of the migrations.</summary>
    public string Text(string sql) =>
        sql.Replace("'{schema}'", string.Concat("'", _schema, "'"), StringComparison.Ordinal)
           .Replace("'{channel}'", string.Concat("'", Channel, "'"), StringComparison.Ordinal)
           .Replace("{schema}", _schema, StringComparison.Ordinal)
           .Replace("{channel}", Channel, StringComparison.Ordinal);

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_]{0,62}$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex SchemaName();
}

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

    public string Lists => field ??= Text("SELECT class, pri, tenant, waited FROM {schema}.lists($1, $2, $3, $4)");

    public string HasLimits => field ??= Text("SELECT {schema}.has_limits()");

    public string TidyLimits => field ??= Text("SELECT {schema}.tidy_limits($1)");

    public string Admit => field ??= Text(
        "SELECT p_class, p_pri, p_tenant, p_mark, p_take, more FROM {schema}.admit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)");

    public string CountClaims => field ??= Text("SELECT {schema}.count_claims($1, $2, $3, $4, $5, $6)");

    public string Obey => field ??= Text("SELECT {schema}.obey($1)");

    public string WakeDue => field ??= Text("SELECT moved, next_in FROM {schema}.wake_due($1)");

    public string Rescue => field ??= Text("SELECT {schema}.rescue($1)");

    public string Evict => field ??= Text("SELECT {schema}.evict($1)");

    /// <summary>Evicts an incarnation of the same host: the life before of a worker that restarts.</summary>
    public string TakeOver => field ??= Text(
        "SELECT {schema}.evict(ARRAY(SELECT inc FROM {schema}.workers WHERE inc = $1 AND host = $2 AND NOT revoked))");

    public string ModelTurn => field ??= Text("SELECT alone, granted, contested FROM {schema}.model_turn($1, $2, $3, $4, $5)");

    public string Flush => field ??= Text(
        "SELECT exec, verdict, status, run FROM {schema}.flush($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, "
        + "$20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34)");

    public string Submit => field ??= Text(
        "SELECT created, claimed, id, exec, status, run, request_hash, created_at, definition_hash, workflow_active "
        + "FROM {schema}.submit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)");

    public string SubmitMany => field ??= Text(
        "SELECT place, created, claimed, id, exec, status, run, request_hash, created_at, definition_hash, workflow_active "
        + "FROM {schema}.submit_many($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)");

    /// <summary>What the rows of held executions say now, where that is not simply "go on".</summary>
    public string Standing => field ??= Text("""
        SELECT h.exec, e.status, e.run
          FROM unnest($1, $2) AS h (exec, run)
          LEFT JOIN {schema}.workflow_executions e ON e.seq = h.exec
         WHERE e.seq IS NULL OR e.run <> h.run OR e.status NOT IN ('pending', 'running', 'waiting')
        """);

    /// <summary>The stored steps of one run and those it takes over, in the order they were decided.</summary>
    public string Steps => field ??= Text("""
        SELECT step_key, attempt, outcome, branch, fired_by, due_at, started_at, finished_at, decision, output, error, metrics
          FROM {schema}.run_steps($1, $2)
         ORDER BY finished_at NULLS FIRST, step_key, ordinal DESC
        """);

    public string Opening => field ??= Text("SELECT instruction, instruction_at FROM {schema}.execution_runs WHERE seq = $1 AND run = $2");

    public string OpenRun => field ??= Text("SELECT opened, status, run, exec FROM {schema}.open_run($1, $2, $3, $4, $5, $6)");

    public string Definition => field ??= Text("SELECT definition FROM {schema}.definitions WHERE hash = $1");

    public string Execution => field ??= Text("""
        SELECT e.id, e.seq, e.workflow_id, e.status, e.priority, e.run, e.attempts, e.current_node_id,
               coalesce(e.waiting_for, (SELECT jsonb_build_object('kind', 'limit') FROM {schema}.parked p WHERE p.exec = e.seq AND p.gate IS NOT NULL)), e.inputs, e.result, e.error,
               e.error_details, e.tokens_in, e.tokens_out, e.words, e.worker_id, e.user_id, e.created_at, e.started_at, e.finished_at,
               e.run_at, e.request_hash,
               -- A pinned one is asked first: a later run of an inline definition may have been edited.
               CASE WHEN e.definition IS NULL OR e.definition_hash IS NOT NULL THEN coalesce(d.definition, e.definition) ELSE e.definition END,
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

    public string SendSignal => field ??= Text("SELECT verdict, status FROM {schema}.send_signal($1, $2, $3, $4, $5)");

    public string GenerationJob => field ??= Text("""
        SELECT j.id, j.status, j.prompt, j.mode, j.progress_percentage, j.current_phase, j.workflow_result, j.error_message, j.error_details,
               j.progress_logs, j.observability, j.created_at, j.started_at, j.finished_at, j.duration_ms, j.worker_id, j.retry_count,
               (SELECT w.url FROM {schema}.workflow_executions e JOIN {schema}.held h ON h.exec = e.seq JOIN {schema}.workers w ON w.inc = h.inc
                 WHERE e.id = j.id)
          FROM {schema}.workflow_generation_jobs j
         WHERE j.id = $1
        """);

    public string InsertGenerationJob => field ??= Text("""
        INSERT INTO {schema}.workflow_generation_jobs (id, user_id, prompt, mode, current_workflow, execution_history, config, max_retries)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (id) DO NOTHING
        """);

    public string SameGenerationJob => field ??= Text("""
        SELECT (j.user_id, j.prompt, j.mode, j.current_workflow, j.execution_history, j.config, j.max_retries)
               IS NOT DISTINCT FROM ($2, $3, $4, $5, $6, $7, $8)
          FROM {schema}.workflow_generation_jobs j WHERE j.id = $1
        """);

    public string CancelGenerationJob => field ??= Text("""
        WITH cancelled AS (
            UPDATE {schema}.workflow_generation_jobs SET status = 'cancelled' WHERE id = $1 AND status IN ('pending', 'processing') RETURNING status)
        SELECT COALESCE((SELECT status FROM cancelled), (SELECT status FROM {schema}.workflow_generation_jobs WHERE id = $1))
        """);

    public string AdoptGenerationJobs => field ??= Text("SELECT {schema}.generation_adopt(1000)");

    public string PendingGenerationJobs => field ??= Text("""
        SELECT p.id, (SELECT count(*) FROM (SELECT FROM {schema}.workflow_generation_jobs WHERE status = 'pending' LIMIT 1000) c)
          FROM {schema}.workflow_generation_jobs p WHERE p.status = 'pending' ORDER BY p.created_at LIMIT 1
        """);

    public string GenerationProgress => field ??= Text("SELECT {schema}.generation_progress($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");

    public string KnowsSignal => field ??= Text("SELECT true FROM {schema}.workflow_signals WHERE id = $1");

    public string MatchEvents => field ??= Text("SELECT moved, last FROM {schema}.match_events($1, $2, $3)");

    public string DropEvents => field ??= Text("SELECT dropped, last FROM {schema}.drop_events($1, $2)");

    public string ChildTarget => field ??= Text("SELECT depth, is_active, name FROM {schema}.child_target($1, $2, $3)");

    /// <summary>Of the waits of held executions, those for which an event is there.</summary>
    public string Answered => field ??= Text("""
        SELECT DISTINCT v.exec
          FROM unnest($1, $2, $3) AS w (exec, run, topic)
          JOIN {schema}.events v ON v.exec = w.exec AND v.run = w.run AND v.topic = w.topic
        """);

    /// <summary>The events of one run with one of these topics; the end of a child with how it ended.</summary>
    public string Events => field ??= Text("""
        SELECT v.id, v.topic, v.name, v.payload, v.at, v.attempt IS NOT NULL, c.status, c.result, c.error, c.error_details
          FROM {schema}.events v
          LEFT JOIN {schema}.workflow_executions c
            ON v.attempt IS NOT NULL AND c.id = (v.payload->>'execution_id')::uuid AND c.status IN ('completed', 'failed', 'cancelled')
         WHERE v.exec = $1 AND v.run = $2 AND v.topic = ANY ($3)
         ORDER BY v.id
         LIMIT 1000
        """);

    /// <summary>The approvals that a run has come to, with their answers.</summary>
    public string Gates => field ??= Text("""
        SELECT DISTINCT ON (s.step_key) s.step_key, s.due_at, s.decision, f.outcome, f.branch
          FROM {schema}.run_steps($1, $2) s
          LEFT JOIN {schema}.run_steps($1, $2) f ON f.step_key = s.step_key AND f.ordinal = 0
         WHERE s.outcome = 'waiting' AND s.decision->>'kind' = 'approval'
         ORDER BY s.step_key, s.attempt DESC
        """);

    public string SetCompletionHook => field ??= Text("SELECT {schema}.set_completion_hook($1)");

    public string RetryHooks => field ??= Text("SELECT execution_id, attempts, error FROM {schema}.retry_hooks($1)");

    public string HookBacklog => field ??= Text("SELECT count(*) FROM {schema}.hook_queue");

    public string MirrorBacklog => field ??= Text("SELECT count(*) FROM {schema}.mirror_queue");

    public string RetryMirrors => field ??= Text("SELECT execution_id, attempts, error FROM {schema}.retry_mirrors($1)");

    public string Retain => field ??= Text("SELECT walked, deleted, next_in FROM {schema}.retain($1, $2, $3, $4)");

    public string ClearRemoved => field ??= Text("SELECT {schema}.clear_removed($1)");

    public string SweepDefinitions => field ??= Text("SELECT {schema}.sweep_definitions()");

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

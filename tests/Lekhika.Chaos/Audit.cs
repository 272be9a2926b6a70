namespace Lekhika.Chaos;

/// <summary>
/// Triggers of the campaign's own, which write down who changed what: the engine is checked by what PostgreSQL saw, not by what the engine says of itself.
/// </summary>
internal static class Audit
{
    /// <summary>Makes the log and the triggers. Each daemon's connections carry its worker id as application name.</summary>
    public const string Install = """
        CREATE SCHEMA audit;
        CREATE TABLE audit.moves (n bigint GENERATED ALWAYS AS IDENTITY, at timestamptz DEFAULT clock_timestamp(), xid bigint DEFAULT txid_current(),
            app text DEFAULT current_setting('application_name'), exec bigint, run_before int, run_after int, was text, became text, is_daemon boolean, holder bigint);
        CREATE TABLE audit.gone (xid bigint DEFAULT txid_current(), exec bigint, inc bigint, epoch int);
        CREATE TABLE audit.steps (at timestamptz DEFAULT clock_timestamp(), exec bigint, run int, step_key text);
        CREATE TABLE audit.schedules (first timestamptz, ended_at timestamptz);
        CREATE TABLE audit.claims (n bigint GENERATED ALWAYS AS IDENTITY, at timestamptz DEFAULT clock_timestamp(), exec bigint, run int, inc bigint, epoch int);

        CREATE FUNCTION audit.on_move() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO audit.moves (exec, run_before, run_after, was, became, is_daemon, holder)
            VALUES (NEW.seq, OLD.run, NEW.run, OLD.status, NEW.status, NEW.rev <> OLD.rev, (SELECT h.inc FROM lekhika.held h WHERE h.exec = NEW.seq));
            RETURN NULL;
        END $$;
        CREATE TRIGGER audit_move AFTER UPDATE ON lekhika.workflow_executions FOR EACH ROW
            WHEN (OLD.status IS DISTINCT FROM NEW.status OR OLD.rev <> NEW.rev OR OLD.run <> NEW.run) EXECUTE FUNCTION audit.on_move();

        CREATE FUNCTION audit.on_gone() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO audit.gone (exec, inc, epoch) VALUES (OLD.exec, OLD.inc, OLD.epoch);
            RETURN NULL;
        END $$;
        CREATE TRIGGER audit_gone AFTER DELETE ON lekhika.held FOR EACH ROW EXECUTE FUNCTION audit.on_gone();

        CREATE FUNCTION audit.on_claim() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO audit.claims (exec, run, inc, epoch) VALUES (NEW.exec, NEW.run, NEW.inc, NEW.epoch);
            RETURN NULL;
        END $$;
        CREATE TRIGGER audit_claim AFTER INSERT ON lekhika.held FOR EACH ROW EXECUTE FUNCTION audit.on_claim();

        CREATE FUNCTION audit.on_step() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO audit.steps (exec, run, step_key) VALUES (NEW.seq, NEW.run, NEW.step_key);
            RETURN NULL;
        END $$;
        CREATE TRIGGER audit_step AFTER INSERT ON lekhika.workflow_execution_steps FOR EACH ROW
            WHEN (NEW.outcome IN ('succeeded', 'failed')) EXECUTE FUNCTION audit.on_step();
        """;

    /// <summary>
    /// Puts a schedule in that is due every second from now on, and writes down its first slot. Parameters: the workflow, the inputs.
    /// </summary>
    public const string BeginSchedule = """
        WITH begun AS (
            INSERT INTO lekhika.workflow_schedules (workflow_id, cron, catch_up, catch_up_limit, inputs, next_run_at)
            VALUES ($1, '* * * * * *', 'all', 1000, $2::jsonb, date_trunc('second', now()))
            RETURNING next_run_at)
        INSERT INTO audit.schedules (first) SELECT next_run_at FROM begun
        """;

    /// <summary>Ends the schedule once it has caught up, and writes down when; changes nothing before that.</summary>
    public const string EndSchedule = """
        WITH ended AS (
            UPDATE lekhika.workflow_schedules SET is_active = false WHERE is_active AND next_run_at > now() - interval '3 s' RETURNING id)
        UPDATE audit.schedules SET ended_at = now() WHERE EXISTS (SELECT FROM ended)
        """;

    /// <summary>Each query counts what must not be; the text says what.</summary>
    public static readonly IReadOnlyList<(string What, string Sql)> Checks =
    [
        ("executions without an end",
            "SELECT count(*) FROM lekhika.workflow_executions WHERE status NOT IN ('completed', 'failed', 'cancelled')"),
        ("places left over in ready, held and parked",
            "SELECT (SELECT count(*) FROM lekhika.ready) + (SELECT count(*) FROM lekhika.held) + (SELECT count(*) FROM lekhika.parked)"),
        ("final outcomes recorded twice for one step",
            "SELECT count(*) FROM (SELECT FROM lekhika.workflow_execution_steps WHERE outcome IN ('succeeded', 'failed') GROUP BY seq, run, step_key HAVING count(*) > 1) x"),
        ("moves of a finished run, or a second end of it",
            "SELECT count(*) FROM audit.moves WHERE was IN ('completed', 'failed', 'cancelled') AND (became <> was OR is_daemon) AND run_after = run_before"),
        // A call that was in flight may end a paused execution, and that is shown; that it goes on is not for the daemon to say.
        ("pauses that a daemon has written over",
            "SELECT count(*) FROM audit.moves WHERE is_daemon AND was = 'paused' AND became IN ('pending', 'running', 'waiting') AND run_after = run_before"),
        ("moves to running or waiting over what they may not be written over",
            """
            SELECT count(*) FROM audit.moves
             WHERE is_daemon AND run_after = run_before AND became <> was
               AND (became = 'running' AND was NOT IN ('pending', 'waiting') OR became = 'waiting' AND was NOT IN ('pending', 'running') OR became IN ('pending', 'paused'))
            """),
        ("moves back to an earlier run", "SELECT count(*) FROM audit.moves WHERE run_after < run_before"),
        ("epochs given out twice",
            "SELECT count(*) FROM (SELECT FROM audit.claims GROUP BY exec, run, epoch HAVING count(*) > 1) x"),
        ("writes by a daemon that did not hold the execution",
            """
            SELECT count(*)
              FROM audit.moves m
             WHERE m.is_daemon AND m.app <> ''
               -- Resumed by hand while it was parked: whoever obeys shows it as waiting again, and nobody holds it.
               AND NOT (m.became = 'waiting' AND m.holder IS NULL AND NOT EXISTS (SELECT FROM audit.gone g WHERE g.xid = m.xid AND g.exec = m.exec))
               AND NOT EXISTS (SELECT FROM lekhika.workers w WHERE w.inc = m.holder AND w.worker_id = m.app)
               AND NOT EXISTS (SELECT FROM audit.gone g JOIN lekhika.workers w ON w.inc = g.inc WHERE g.xid = m.xid AND g.exec = m.exec AND w.worker_id = m.app)
            """),
        ("completed executions with a wrong result",
            """
            SELECT count(*) FROM lekhika.workflow_executions
             WHERE status = 'completed' AND parent_id IS NULL AND (result->>'r') IS DISTINCT FROM (inputs->>'expect') AND inputs ? 'shape'
            """),
        ("failed executions that should not have failed",
            "SELECT count(*) FROM lekhika.workflow_executions WHERE status = 'failed' AND inputs->>'shape' IS DISTINCT FROM 'fail'"),
        ("executions that should have failed and did not",
            "SELECT count(*) FROM lekhika.workflow_executions WHERE status = 'completed' AND inputs->>'shape' = 'fail'"),
        ("slots of the schedule that were fired twice",
            "SELECT count(*) FROM (SELECT FROM lekhika.workflow_executions WHERE request ? 'schedule' GROUP BY request->'schedule' HAVING count(*) > 1) x"),
        ("slots of the schedule that were passed over, the first among them",
            """
            SELECT coalesce(extract(epoch FROM max(slot) - (SELECT first FROM audit.schedules))::bigint + 1 - count(DISTINCT slot), 1)
              FROM (SELECT (request->'schedule'->>'slot')::timestamptz AS slot FROM lekhika.workflow_executions WHERE request ? 'schedule') x
            """),
        ("schedules that had stopped before they were ended",
            """
            SELECT count(*) FROM audit.schedules
             WHERE ended_at IS NULL
                OR ended_at - (SELECT max((request->'schedule'->>'slot')::timestamptz) FROM lekhika.workflow_executions WHERE request ? 'schedule') > interval '5 s'
            """),
    ];
}

-- Generation jobs. A job is an execution of a built-in workflow, under the same id: claims, leases, steps, retries and live status are
-- those of every execution, and the row of workflow_generation_jobs is its face.
--
--   insert a job (pending) ──► trigger: an execution of the same id ──► queue, claim, steps … ──► it ends
--   the daemon tells progress (fenced, a few times)  ──► processing, percentage, phase, log        │
--   trigger, in the transaction that finishes the execution ──► result or error, figures ◄─────────┘
--   a backend's change of a job's status ──► a mark ──► obey() carries it over to the execution
--
-- Locks: a write of the daemon holds the execution's row when it comes to the job's, so nothing may wait for an execution while it holds
-- a job, and nothing here waits for a job: one that is locked by somebody's transaction leaves a mark and is seen to a second later.

ALTER TABLE {schema}.workflow_executions ADD COLUMN IF NOT EXISTS generation boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN {schema}.workflow_executions.generation IS 'Whether it is the execution of a generation job of the same id.';

-- Jobs whose row and execution are to be brought together: obey (the row's status was changed), show (the execution has ended).
CREATE TABLE {schema}.generation_marks (
    id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job  uuid NOT NULL,
    kind text NOT NULL,
    at   timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION {schema}.generation_inputs(p_job {schema}.workflow_generation_jobs) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog
AS $$
    SELECT jsonb_build_object('prompt', p_job.prompt, 'mode', p_job.mode, 'current_workflow', p_job.current_workflow,
                              'execution_history', p_job.execution_history, 'config', p_job.config, 'max_retries', p_job.max_retries)
$$;

-- Gives pending jobs their executions. Safe to be repeated.
CREATE FUNCTION {schema}.generation_start(p_jobs uuid[]) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
    started int;
BEGIN
    INSERT INTO {schema}.workflow_executions (id, definition, inputs, user_id, generation)
    SELECT j.id, '{"builtin": "generation"}', {schema}.generation_inputs(j), j.user_id::text, true
      FROM {schema}.workflow_generation_jobs j
     WHERE j.id = ANY (p_jobs) AND j.status = 'pending'
     ORDER BY j.created_at, j.id
        ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS started = ROW_COUNT;
    IF started < cardinality(p_jobs) THEN
        UPDATE {schema}.workflow_generation_jobs j
           SET status = 'failed', finished_at = clock_timestamp(),
               error_message = 'There is an execution with the id of this job, which is not its own; insert the job under another id.',
               error_details = jsonb_build_object('code', 'conflict')
          FROM {schema}.workflow_executions e
         WHERE j.id = ANY (p_jobs) AND j.status = 'pending' AND e.id = j.id AND NOT e.generation;
    END IF;
    RETURN started;
END $$;

CREATE FUNCTION {schema}.generation_feed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
    jobs uuid[];
BEGIN
    SELECT array_agg(f.id) INTO jobs FROM fresh f WHERE f.status = 'pending';
    IF jobs IS NOT NULL THEN
        PERFORM {schema}.generation_start(jobs);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER lekhika_generation_feed AFTER INSERT ON {schema}.workflow_generation_jobs
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION {schema}.generation_feed();

-- Pending jobs without an execution: those of an adopted table, or inserted while triggers were off. What an earlier worker left behind as
-- processing an hour ago or more is taken up as well.
CREATE FUNCTION {schema}.generation_adopt(p_limit int) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
    jobs uuid[];
BEGIN
    UPDATE {schema}.workflow_generation_jobs j SET status = 'pending', progress_percentage = 0
     WHERE j.status = 'processing' AND COALESCE(j.started_at, j.created_at) < clock_timestamp() - interval '1 hour'
       AND NOT EXISTS (SELECT FROM {schema}.workflow_executions e WHERE e.id = j.id);
    SELECT array_agg(p.id) INTO jobs
      FROM (SELECT j.id FROM {schema}.workflow_generation_jobs j
             WHERE j.status = 'pending' AND NOT EXISTS (SELECT FROM {schema}.workflow_executions e WHERE e.id = j.id)
             ORDER BY j.created_at
             LIMIT p_limit) p;
    RETURN CASE WHEN jobs IS NULL THEN 0 ELSE {schema}.generation_start(jobs) END;
END $$;

-- What a status written by a backend means. From a finished job only "pending" leads on, and not from a completed one: finished work is
-- never overwritten. "Refused" keeps the old value and says so in a NOTICE.
CREATE FUNCTION {schema}.generation_status() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    IF OLD.status = 'completed' OR (OLD.status IN ('failed', 'cancelled') AND NEW.status <> 'pending')
       OR (OLD.status = 'processing' AND NEW.status = 'pending' AND EXISTS (SELECT FROM {schema}.workflow_executions e WHERE e.id = OLD.id)) THEN
        RAISE NOTICE 'generation job %: status cannot go from % to %; kept %', OLD.id, OLD.status, NEW.status, OLD.status
              USING HINT = 'See "Generation jobs" in docs/sql.md.';
        NEW.status := OLD.status;
    ELSIF NEW.status = 'cancelled' THEN
        NEW.finished_at := COALESCE(NEW.finished_at, clock_timestamp());
        NEW.duration_ms := LEAST(2147483647, GREATEST(0, 1000 * EXTRACT(epoch FROM NEW.finished_at - COALESCE(NEW.started_at, NEW.finished_at))))::int;
        NEW.error_message := COALESCE(NEW.error_message, 'cancelled');
        NEW.error_details := COALESCE(NEW.error_details, jsonb_build_object('code', 'cancelled'));
    ELSIF NEW.status = 'pending' THEN
        NEW.progress_percentage := 0;
        NEW.current_phase := NULL;
        NEW.workflow_result := NULL;
        NEW.error_message := NULL;
        NEW.error_details := NULL;
        NEW.started_at := NULL;
        NEW.finished_at := NULL;
        NEW.duration_ms := NULL;
        NEW.worker_id := NULL;
        NEW.retry_count := 0;
        NEW.observability := '{}';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER lekhika_generation_status BEFORE UPDATE OF status ON {schema}.workflow_generation_jobs
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION {schema}.generation_status();

CREATE FUNCTION {schema}.generation_mark() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    INSERT INTO {schema}.generation_marks (job, kind) VALUES (OLD.id, 'obey');
    PERFORM pg_notify('{channel}', 'commands');
    RETURN NULL;
END $$;
-- Only what others write: the daemon's own statuses are written inside the trigger below.
CREATE TRIGGER lekhika_generation_mark AFTER UPDATE OF status ON {schema}.workflow_generation_jobs
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status AND NEW.status <> 'processing' AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION {schema}.generation_mark();
CREATE TRIGGER lekhika_generation_delete AFTER DELETE ON {schema}.workflow_generation_jobs
    FOR EACH ROW WHEN (OLD.status IN ('pending', 'processing')) EXECUTE FUNCTION {schema}.generation_mark();

-- Progress, told by the owner of the execution at phase boundaries. Proves the claim; never waits: a row that somebody has locked is left
-- alone, and the next telling brings the log entries along. True: written.
CREATE FUNCTION {schema}.generation_progress(
    p_job uuid, p_exec bigint, p_inc bigint, p_epoch int, p_run int, p_worker_id text, p_percent int, p_phase text, p_retries int, p_logs jsonb)
    RETURNS boolean
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    PERFORM FROM {schema}.workflow_generation_jobs j
      WHERE j.id = p_job AND j.status IN ('pending', 'processing') FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM FROM {schema}.held h
      WHERE h.exec = p_exec AND h.inc = p_inc AND h.epoch = p_epoch AND h.run = p_run FOR KEY SHARE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE {schema}.workflow_generation_jobs j
       SET status = 'processing', started_at = COALESCE(j.started_at, clock_timestamp()), worker_id = p_worker_id,
           progress_percentage = GREATEST(COALESCE(j.progress_percentage, 0), p_percent), current_phase = p_phase, retry_count = p_retries,
           progress_logs = COALESCE(j.progress_logs, '[]') || p_logs
     WHERE j.id = p_job;
    RETURN true;
END $$;

-- What a run has cost so far, from its recorded steps: true figures however it ended.
CREATE FUNCTION {schema}.generation_figures(p_seq bigint, p_run int, p_started timestamptz, p_finished timestamptz) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog
AS $$
    WITH calls AS (
        SELECT CASE WHEN s.step_key = 'analyze' THEN 'analyze' ELSE 'workflow_generation' END AS phase,
               s.step_key, s.attempt, s.outcome, s.started_at, s.finished_at, s.error,
               COALESCE(s.metrics, '{}') AS m, COALESCE(s.output -> 'attempt', '{}') AS a
          FROM {schema}.workflow_execution_steps s
         WHERE s.seq = p_seq AND s.run = p_run AND (s.step_key = 'analyze' OR s.step_key LIKE 'rounds[%].write')),
    figures AS (
        SELECT c.*,
               COALESCE((c.m ->> 'load_ms')::numeric, 0) AS load_ms,
               COALESCE((c.m ->> 'prompt_ms')::numeric, 0) + COALESCE((c.m ->> 'generation_ms')::numeric, 0) AS inference_ms,
               COALESCE((c.m ->> 'total_ms')::numeric, 1000 * EXTRACT(epoch FROM c.finished_at - c.started_at), 0) AS total_ms,
               COALESCE((c.m ->> 'queue_ms')::numeric, 0) AS queue_ms,
               COALESCE((c.m ->> 'check_ms')::numeric, 0) AS check_ms,
               COALESCE((c.m ->> 'tokens_in')::bigint, 0) AS tokens_in,
               COALESCE((c.m ->> 'tokens_out')::bigint, 0) AS tokens_out
          FROM calls c),
    phases AS (
        SELECT f.phase, jsonb_build_object(
                   'model', (array_agg(f.m ->> 'model' ORDER BY f.finished_at DESC))[1],
                   'model_load_time_ms', round(sum(f.load_ms)), 'inference_time_ms', round(sum(f.inference_ms)),
                   'total_time_ms', round(sum(f.total_ms)), 'queue_time_ms', round(sum(f.queue_ms)),
                   'input_tokens', sum(f.tokens_in), 'output_tokens', sum(f.tokens_out), 'calls', count(*)) AS figures
          FROM figures f GROUP BY f.phase
        UNION ALL
        SELECT 'validation', jsonb_build_object('total_time_ms', round(sum(f.check_ms), 3)) FROM figures f HAVING sum(f.check_ms) > 0)
    SELECT jsonb_build_object(
               'model_load_time_ms', COALESCE(round(sum(f.load_ms)), 0),
               'inference_time_ms', COALESCE(round(sum(f.inference_ms)), 0),
               'total_time_ms', COALESCE(round(1000 * EXTRACT(epoch FROM p_finished - p_started)), 0),
               'input_tokens', COALESCE(sum(f.tokens_in), 0),
               'output_tokens', COALESCE(sum(f.tokens_out), 0),
               'phases', COALESCE((SELECT jsonb_object_agg(p.phase, p.figures) FROM phases p), '{}'),
               'attempts', COALESCE(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                   'phase', f.phase, 'step', f.step_key, 'attempt', f.attempt, 'outcome', f.outcome, 'model', f.m -> 'model',
                   'started_at', f.started_at, 'finished_at', f.finished_at, 'model_load_time_ms', round(f.load_ms),
                   'inference_time_ms', round(f.inference_ms), 'input_tokens', f.tokens_in, 'output_tokens', f.tokens_out,
                   'error', f.error)) || f.a ORDER BY f.finished_at, f.step_key, f.attempt), '[]'))
      FROM figures f
$$;

-- Shows the end of an execution in the row of its job. False: the row is locked by somebody, to be tried again.
CREATE FUNCTION {schema}.generation_show(p_job uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
    e {schema}.workflow_executions%ROWTYPE;
    was text;
    figures jsonb;
BEGIN
    SELECT j.status INTO was FROM {schema}.workflow_generation_jobs j WHERE j.id = p_job FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN NOT EXISTS (SELECT FROM {schema}.workflow_generation_jobs j WHERE j.id = p_job);
    END IF;
    SELECT * INTO e FROM {schema}.workflow_executions x WHERE x.id = p_job;
    IF e.status NOT IN ('completed', 'failed', 'cancelled') OR NOT (was IN ('pending', 'processing') OR (was = 'cancelled' AND e.status = 'cancelled')) THEN
        RETURN true;
    END IF;
    figures := {schema}.generation_figures(e.seq, e.run, COALESCE(e.started_at, e.created_at), e.finished_at);
    UPDATE {schema}.workflow_generation_jobs j
       SET status = e.status,
           workflow_result = COALESCE(e.result -> 'workflow', j.workflow_result),
           error_message = CASE WHEN e.status = 'completed' THEN NULL ELSE COALESCE(j.error_message, e.error) END,
           error_details = CASE WHEN e.status = 'completed' THEN NULL ELSE COALESCE(j.error_details, e.error_details) END,
           progress_percentage = CASE WHEN e.status = 'completed' THEN 100 ELSE j.progress_percentage END,
           current_phase = CASE WHEN e.status = 'completed' THEN 'validation' ELSE j.current_phase END,
           progress_logs = COALESCE(j.progress_logs, '[]') || jsonb_build_object(
               'timestamp', clock_timestamp(), 'phase', CASE WHEN e.status = 'completed' THEN 'validation' ELSE j.current_phase END,
               'message', CASE e.status WHEN 'completed' THEN 'Workflow ready' WHEN 'cancelled' THEN 'Cancelled' ELSE 'Failed: ' || COALESCE(e.error, '') END,
               'progress', CASE WHEN e.status = 'completed' THEN 100 ELSE COALESCE(j.progress_percentage, 0) END),
           started_at = COALESCE(j.started_at, e.started_at), finished_at = COALESCE(j.finished_at, e.finished_at),
           duration_ms = LEAST(2147483647, GREATEST(0, 1000 * EXTRACT(epoch FROM
               COALESCE(j.finished_at, e.finished_at) - COALESCE(j.started_at, e.started_at, j.finished_at, e.finished_at))))::int,
           worker_id = COALESCE(e.worker_id, j.worker_id),
           retry_count = GREATEST(COALESCE(j.retry_count, 0),
               (SELECT count(*) - 1 FROM {schema}.workflow_execution_steps s
                 WHERE s.seq = e.seq AND s.run = e.run AND s.ordinal = 0 AND s.step_key LIKE 'rounds[%].write')::int),
           observability = figures
     WHERE j.id = p_job;
    RETURN true;
END $$;

-- In the transaction that ends the execution. Whatever goes wrong here must not keep that, and the batch it is part of, from committing.
CREATE FUNCTION {schema}.generation_face() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
    shown boolean := false;
BEGIN
    BEGIN
        shown := {schema}.generation_show(NEW.id);
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'generation job %: its end could not be shown (%); trying again', NEW.id, SQLERRM;
    END;
    IF NOT shown THEN
        INSERT INTO {schema}.generation_marks (job, kind) VALUES (NEW.id, 'show');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER lekhika_generation_face AFTER UPDATE OF status ON {schema}.workflow_executions
    FOR EACH ROW WHEN (NEW.generation AND OLD.status IS DISTINCT FROM NEW.status AND NEW.status IN ('completed', 'failed', 'cancelled'))
    EXECUTE FUNCTION {schema}.generation_face();

-- Brings one job and its execution together. False: a row was locked, to be tried again.
CREATE FUNCTION {schema}.generation_sync(p_job uuid, p_kind text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
    j {schema}.workflow_generation_jobs%ROWTYPE;
    e_status text;
    is_over boolean;
BEGIN
    SELECT e.status INTO e_status FROM {schema}.workflow_executions e WHERE e.id = p_job AND e.generation FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND AND EXISTS (SELECT FROM {schema}.workflow_executions e WHERE e.id = p_job AND e.generation) THEN
        RETURN false;
    END IF;
    SELECT * INTO j FROM {schema}.workflow_generation_jobs g WHERE g.id = p_job;
    is_over := e_status IN ('completed', 'failed', 'cancelled');
    IF p_kind = 'show' THEN
        RETURN e_status IS NULL OR NOT is_over OR {schema}.generation_show(p_job);
    ELSIF e_status IS NULL THEN
        PERFORM {schema}.generation_start(ARRAY[p_job]);
    ELSIF j.status = 'pending' THEN
        IF is_over THEN
            UPDATE {schema}.workflow_executions e SET inputs = {schema}.generation_inputs(j), status = 'pending' WHERE e.id = p_job;
        END IF;
    ELSIF NOT is_over AND (j.status IS NULL OR j.status <> 'processing') THEN
        UPDATE {schema}.workflow_executions e SET status = 'cancelled' WHERE e.id = p_job;
    ELSIF is_over AND j.status = 'cancelled' THEN
        RETURN {schema}.generation_show(p_job);
    END IF;
    RETURN true;
END $$;

CREATE FUNCTION {schema}.generation_obey(p_limit int) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
DECLARE
    m record;
    done boolean;
BEGIN
    FOR m IN SELECT g.id, g.job, g.kind, g.at FROM {schema}.generation_marks g ORDER BY g.id LIMIT p_limit FOR UPDATE SKIP LOCKED LOOP
        BEGIN
            done := {schema}.generation_sync(m.job, m.kind);
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'generation job %: % failed (%)', m.job, m.kind, SQLERRM;
            -- What fails for an hour on end fails for ever.
            done := m.at < now() - interval '1 hour';
        END;
        IF done THEN
            DELETE FROM {schema}.generation_marks g WHERE g.id = m.id;
        END IF;
    END LOOP;
END $$;

SELECT {schema}.generation_adopt(100000);

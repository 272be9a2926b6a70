-- Runs after the first. What a later run takes over is named, not copied: takes_over is an array of hops, oldest first,
--   [{"run": 1, "again": ["c"]}, {"run": 2, "again": ["d", "e"]}]
-- Each names a run whose final results and opened scopes count as this run's, but for the steps in "again" of that hop or a later one. A key in
-- "again" stands for the step and everything inside it; the failed ends of the scopes around it are not taken over either. What only waited waits on:
-- who was asked is not asked again, due times stay, and signals that nobody has taken go along. But a child was cancelled with the run that waited for
-- it, and is started anew; and what was to be retried begins anew. A terminal run is never written to, so what a hop says is the same whenever it is
-- read.
ALTER TABLE {schema}.execution_runs
    ADD COLUMN instruction    text,
    ADD COLUMN instruction_at jsonb;
COMMENT ON COLUMN {schema}.execution_runs.instruction IS 'What people want done otherwise; reaches the prompts of the steps in instruction_at.';

-- The steps of a run: its own, and those it takes over.
CREATE FUNCTION {schema}.run_steps(p_seq bigint, p_run int)
    RETURNS TABLE (
        made_in int, ordinal int, step_key text, attempt int, outcome text, branch text, fired_by text, due_at timestamptz,
        started_at timestamptz, finished_at timestamptz, decision jsonb, output jsonb, error jsonb, metrics jsonb)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog
    SET jit = off
AS $$
    WITH taken AS (
        SELECT (h.hop->>'run')::int AS run, h.at, h.hop->'again' AS again
          FROM {schema}.execution_runs r
         CROSS JOIN LATERAL jsonb_array_elements(r.takes_over) WITH ORDINALITY AS h (hop, at)
         WHERE p_run > 1 AND r.seq = p_seq AND r.run = p_run)
    SELECT s.run, s.ordinal, s.step_key, s.attempt, s.outcome, s.branch, s.fired_by, s.due_at, s.started_at, s.finished_at,
           s.decision, s.output, s.error, s.metrics
      FROM {schema}.workflow_execution_steps s
     WHERE s.seq = p_seq AND s.run = p_run
    UNION ALL
    SELECT s.run, s.ordinal, s.step_key, s.attempt, s.outcome, s.branch, s.fired_by, s.due_at, s.started_at, s.finished_at,
           s.decision, s.output, s.error, s.metrics
      FROM taken t
      JOIN {schema}.workflow_execution_steps s ON s.seq = p_seq AND s.run = t.run
     WHERE (s.outcome IN ('succeeded', 'failed', 'opened')
            OR (s.outcome = 'waiting' AND s.decision->>'kind' IS DISTINCT FROM 'child'
                AND NOT EXISTS (SELECT FROM {schema}.workflow_execution_steps u
                                 WHERE u.seq = s.seq AND u.run = s.run AND u.step_key = s.step_key
                                   AND u.outcome = 'retrying' AND u.attempt >= s.attempt)))
       AND NOT EXISTS (
           SELECT FROM taken n
            CROSS JOIN LATERAL jsonb_array_elements_text(n.again) AS a (key)
            WHERE n.at >= t.at
              AND (s.step_key = a.key OR starts_with(s.step_key, a.key || '[')
                   OR (s.outcome = 'failed' AND starts_with(a.key, s.step_key || '['))))
$$;

-- What the run after this one takes over: what this one did, and itself but for the steps that are to run again.
CREATE FUNCTION {schema}.carry(p_seq bigint, p_run int, p_again jsonb) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog
AS $$
    SELECT COALESCE((SELECT r.takes_over FROM {schema}.execution_runs r WHERE r.seq = p_seq AND r.run = p_run), '[]'::jsonb)
           || jsonb_build_array(jsonb_build_object('run', p_run, 'again', p_again))
$$;

-- Signals that the run before has not taken belong to the next, in their order. Called by the transaction that opens it, under its row's lock.
CREATE FUNCTION {schema}.carry_signals(p_seq bigint, p_run int) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog
AS $$
    WITH gone AS (
        DELETE FROM {schema}.events v WHERE v.exec = p_seq AND v.run = p_run AND starts_with(v.topic, 'signal:') RETURNING v.*)
    INSERT INTO {schema}.events (exec, run, step_key, name, topic, attempt, payload, at, signal_id)
    SELECT g.exec, p_run + 1, g.step_key, g.name, g.topic, g.attempt, g.payload, g.at, g.signal_id FROM gone g ORDER BY g.id
$$;

-- Where a failed run is to go on, by its error_details.
CREATE FUNCTION {schema}.resume_at(p_details jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
AS $$
    SELECT CASE WHEN jsonb_typeof(p_details->'resume_at') = 'array' THEN p_details->'resume_at'
                WHEN jsonb_typeof(p_details->'step') = 'string' THEN jsonb_build_array(p_details->'step')
                ELSE '[]'::jsonb END
$$;

-- Resume and retry over HTTP: opens the next run of a failed execution, as an UPDATE of its status does, with what only HTTP can say: which steps
-- run again, an edited definition, an instruction. Opened only if the run is still the one that was looked at.
CREATE FUNCTION {schema}.open_run(
    p_id uuid, p_run int, p_again text[], p_definition jsonb, p_instruction text, p_instruction_at text[],
    OUT opened boolean, OUT status text, OUT run int, OUT exec bigint)
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
#variable_conflict use_column
DECLARE
    e {schema}.workflow_executions;
    hash uuid;
    carries boolean;
BEGIN
    SELECT x.* INTO e FROM {schema}.workflow_executions x WHERE x.id = p_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    opened := false;
    status := e.status;
    run := e.run;
    exec := e.seq;
    IF e.status <> 'failed' OR e.run <> p_run THEN
        RETURN;
    END IF;

    carries := EXISTS (SELECT FROM {schema}.workflow_execution_steps s WHERE s.seq = e.seq);
    IF p_definition IS NOT NULL THEN
        hash := {schema}.hash_of(p_definition);
        PERFORM {schema}.keep(hash, p_definition);
    ELSIF carries THEN
        hash := e.definition_hash;
    END IF;
    INSERT INTO {schema}.execution_runs (seq, run, definition_hash, reason, takes_over, instruction, instruction_at)
    VALUES (e.seq, e.run + 1, hash, 'retry', CASE WHEN carries THEN {schema}.carry(e.seq, e.run, to_jsonb(p_again)) END,
            p_instruction, to_jsonb(p_instruction_at));
    IF carries THEN
        PERFORM {schema}.carry_signals(e.seq, e.run);
    END IF;
    -- With another rev the status trigger knows that this is not a backend's change.
    UPDATE {schema}.workflow_executions x
       SET status = 'pending', run = e.run + 1, attempts = e.attempts + 1, rev = e.rev + 1, definition_hash = hash,
           result = NULL, error = NULL, error_details = NULL, current_node_id = NULL, waiting_for = NULL, started_at = NULL, finished_at = NULL, run_at = NULL,
           timeout_at = CASE WHEN e.timeout_at > clock_timestamp() THEN e.timeout_at END, tokens_in = 0, tokens_out = 0, words = 0
     WHERE x.seq = e.seq;
    INSERT INTO {schema}.commands (exec, kind) VALUES (e.seq, 'run');
    PERFORM pg_notify('{channel}', 'commands');
    opened := true;
    status := 'pending';
    run := e.run + 1;
END $$;

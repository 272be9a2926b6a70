-- The journal's one statement: writes what a daemon has to say about many executions at once, each under its fence.
--
-- Kinds: 1 append (steps only), 2 running (append, and status running), 3 park, 4 finish, 5 release (give the claim back).
-- Verdicts, one per execution, in the order of x_exec; what is finished and committed, nearly everything, is left out:
--   committed   all of it is written
--   locked      somebody else's transaction holds the row; nothing written, try again
--   conflict    another outcome of one of these steps is stored; nothing written, reload and replay
--   fenced      the claim is not this incarnation's any more; nothing written
--   late        fenced, but the outcomes were new and rest on nothing that is recorded otherwise: they are stored
--   finished    the execution is over (cancelled, …); the claim was dropped
--   other_run   the execution is in another run; the claim was given back
--   resumed     it was to be parked as paused, but is not paused any more; nothing written
--   missing     the execution was deleted; the claim was dropped
--
-- An item with something aside (events it consumed, children it starts) is never stored late: those need the fence.
--
-- Locks are taken in one order everywhere: execution rows (by seq: the caller sorts), then held rows, then steps by (seq, key). With the
-- execution row locked nobody else writes its steps, so conflicts are looked for before anything is written and an execution's part of a
-- batch is all or nothing, and steps need no ON CONFLICT, which would cost a fifth of the whole. s_item says which item (1-based place in
-- the x_ arrays) a step belongs to: everything below works by position, in one pass, whatever the size of the batch. An array of nothing but
-- nulls may be null itself: it is less to send and to read, and unnest fills it up. The plans are pinned
-- and generic: planning anew with thousands of array elements as constants costs more than running.
--
-- A table that was vacuumed while it was empty counts as empty in every plan that is made before it is vacuumed again, and of such a one the planner
-- would rather read a whole index, once or for each element, than look into it. So elements are looked up where there is no other way to do it: by
-- place, by LATERAL with OFFSET 0, by a subquery that gives a value, or by = ANY (ARRAY[x]), for which no index has to be in order.
CREATE FUNCTION {schema}.flush(
    p_inc bigint, p_worker_id text,
    x_exec bigint[], x_epoch int[], x_run int[], x_kind smallint[],
    x_status text[], x_node text[], x_result jsonb[], x_error text[], x_details jsonb[],
    x_tokens_in bigint[], x_tokens_out bigint[], x_words bigint[], x_started timestamptz[],
    x_due timestamptz[], x_why text[], x_waiting jsonb[], x_awaits jsonb[],
    s_item int[], s_key text[], s_ordinal int[], s_attempt int[], s_outcome text[], s_branch text[], s_fired_by text[],
    s_due timestamptz[], s_started timestamptz[], s_finished timestamptz[],
    s_decision jsonb[], s_output jsonb[], s_error jsonb[], s_metrics jsonb[],
    x_aside jsonb[])
    RETURNS TABLE (exec bigint, verdict text, status text, run int)
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET enable_seqscan = off
    SET enable_bitmapscan = off
    SET jit = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    l_status text[];
    l_run int[];
    l_hash uuid[];
    l_row tid[];
    l_held tid[];
    verdicts text[];
    bad int[];
    stored bigint[];
    deleted int;
    ended int;
    dropped boolean;
    rescued boolean;
BEGIN
    -- 1. Lock and judge. Nobody moves a locked row, so what ends is found again by its place, without another look into an index.
    SELECT array_agg(l.status), array_agg(l.run),
           array_agg(CASE
               WHEN l.status IS NULL THEN 'locked'
               WHEN h.mine IS NULL THEN
                   CASE WHEN l.run <> x.run THEN 'other_run'
                        WHEN l.status IN ('completed', 'failed', 'cancelled') THEN 'finished'
                        ELSE 'fenced' END
               WHEN l.run <> x.run THEN 'other_run'
               WHEN l.status IN ('completed', 'failed', 'cancelled') THEN 'finished'
               WHEN x.kind = 3 AND x.why = 'paused' AND l.status <> 'paused' THEN 'resumed'
               ELSE 'committed' END),
           bool_or(h.mine AND (l.run <> x.run OR l.status IN ('completed', 'failed', 'cancelled'))), bool_or(h.rescues > 0),
           array_agg(h.definition_hash), array_agg(l.ctid), array_agg(h.ctid)
      INTO l_status, l_run, verdicts, dropped, rescued, l_hash, l_row, l_held
      FROM unnest(x_exec, x_epoch, x_run, x_kind, x_why) AS x (exec, epoch, run, kind, why)
      LEFT JOIN LATERAL (
           SELECT e.ctid, e.status, e.run FROM {schema}.workflow_executions e WHERE e.seq = x.exec FOR NO KEY UPDATE SKIP LOCKED) l ON true
      LEFT JOIN LATERAL (
           SELECT h.ctid, true AS mine, h.rescues, h.definition_hash FROM {schema}.held h
            WHERE h.exec = x.exec AND h.inc = p_inc AND h.epoch = x.epoch AND h.run = x.run AND l.status IS NOT NULL
              FOR UPDATE) h ON true;

    -- 2. Steps that are stored already, otherwise than offered. An equal one is a write whose reply was lost.
    IF cardinality(s_item) > 0 THEN
        SELECT array_agg(DISTINCT m.item) FILTER (WHERE m.differs), array_agg(m.place) FILTER (WHERE m.same_place)
          INTO bad, stored
          FROM (SELECT s.item, s.place, t.ordinal = s.ordinal AS same_place,
                       CASE WHEN t.ordinal = s.ordinal
                            THEN (t.outcome, t.branch, t.fired_by, t.due_at, t.decision, t.output, t.error)
                                 IS DISTINCT FROM (s.outcome, s.branch, s.fired_by, s.due, s.decision, s.output, s.error)
                            -- A wait or retry of a step that is decided for good, unless both were written together and the reply was lost.
                            ELSE NOT EXISTS (SELECT FROM {schema}.workflow_execution_steps u
                                              WHERE u.seq = t.seq AND u.run = t.run AND u.step_key = t.step_key AND u.ordinal = s.ordinal)
                        END AS differs
                  FROM unnest(s_item, s_key, s_ordinal, s_outcome, s_branch, s_fired_by, s_due, s_decision, s_output, s_error) WITH ORDINALITY
                       AS s (item, key, ordinal, outcome, branch, fired_by, due, decision, output, error, place)
                 CROSS JOIN LATERAL (
                       SELECT t.* FROM {schema}.workflow_execution_steps t
                        WHERE t.seq = x_exec[s.item] AND t.run = x_run[s.item] AND t.step_key = s.key
                          AND (t.ordinal = s.ordinal OR t.ordinal = 0)
                       OFFSET 0) t) m;

        IF bad IS NOT NULL OR 'fenced' = ANY (verdicts) THEN
            FOR i IN 1 .. cardinality(x_exec) LOOP
                IF verdicts[i] = 'committed' AND i = ANY (bad) THEN
                    verdicts[i] := 'conflict';
                ELSIF verdicts[i] = 'fenced' AND x_aside[i] IS NULL AND i = ANY (s_item) AND COALESCE(i <> ALL (bad), true) THEN
                    verdicts[i] := 'late';   -- new outcomes of the live run, computed from nothing that is recorded otherwise
                END IF;
            END LOOP;
        END IF;

        INSERT INTO {schema}.workflow_execution_steps
               (seq, run, step_key, ordinal, attempt, outcome, branch, fired_by, due_at, started_at, finished_at, decision, output, error, metrics)
        SELECT x_exec[s.item], x_run[s.item], s.key, s.ordinal, s.attempt, s.outcome, s.branch, s.fired_by, s.due, s.started, s.finished,
               s.decision, s.output, s.error, s.metrics
          FROM unnest(s_item, s_key, s_ordinal, s_attempt, s_outcome, s_branch, s_fired_by, s_due, s_started, s_finished,
                      s_decision, s_output, s_error, s_metrics) WITH ORDINALITY
               AS s (item, key, ordinal, attempt, outcome, branch, fired_by, due, started, finished, decision, output, error, metrics, place)
         WHERE verdicts[s.item] IN ('committed', 'late') AND (stored IS NULL OR s.place <> ALL (stored));
    END IF;

    -- 3. Whoever recorded something made progress: earlier rescues do not count towards crash_loop any more, wherever it goes from here.
    IF rescued AND cardinality(s_item) > 0 THEN
        UPDATE {schema}.held h SET rescues = 0
          FROM unnest(s_item) AS s (item)
         WHERE h.exec = ANY (ARRAY[x_exec[s.item]]) AND x_kind[s.item] <> 4 AND verdicts[s.item] = 'committed' AND h.rescues > 0;
    END IF;

    IF 2 = ANY (x_kind) THEN
        UPDATE {schema}.workflow_executions e
           SET status = CASE WHEN e.status IN ('pending', 'waiting') THEN 'running' ELSE e.status END,
               current_node_id = x.node, worker_id = p_worker_id, waiting_for = NULL,
               definition_hash = x.hash, started_at = COALESCE(e.started_at, x.started), rev = e.rev + 1
          FROM unnest(l_row, x_kind, verdicts, x_node, x_started, l_hash) AS x (place, kind, verdict, node, started, hash)
         WHERE e.ctid = x.place AND x.kind = 2 AND x.verdict = 'committed';
        GET DIAGNOSTICS ended = ROW_COUNT;
        IF ended <> (SELECT count(*) FROM unnest(x_kind, verdicts) AS x (kind, verdict) WHERE x.kind = 2 AND x.verdict = 'committed') THEN
            RAISE EXCEPTION 'a locked row has moved' USING ERRCODE = 'serialization_failure';
        END IF;
    END IF;

    IF 3 = ANY (x_kind) THEN
        WITH gone AS (
            DELETE FROM {schema}.held h
             USING unnest(x_exec, x_kind, verdicts, l_status, x_due, x_why, x_awaits)
                   AS x (exec, kind, verdict, status, due, why, awaits)
             WHERE h.exec = ANY (ARRAY[x.exec]) AND x.kind = 3 AND x.verdict = 'committed'
            RETURNING h.exec, h.epoch, h.run, h.tenant, h.pri, h.rescues, h.definition_hash, x.status, x.due, x.why, x.awaits)
        INSERT INTO {schema}.parked (exec, epoch, run, tenant, pri, rescues, paused, definition_hash, due_at, why, awaits)
        SELECT g.exec, g.epoch, g.run, g.tenant, g.pri, g.rescues, g.status = 'paused', g.definition_hash, g.due, g.why,
               (SELECT array_agg(a) FROM jsonb_array_elements_text(g.awaits) AS a)
          FROM gone g;
        GET DIAGNOSTICS deleted = ROW_COUNT;
        UPDATE {schema}.workflow_executions e
           SET status = CASE WHEN e.status IN ('pending', 'running') AND x.why <> 'paused' THEN 'waiting' ELSE e.status END,
               current_node_id = COALESCE(x.node, e.current_node_id), waiting_for = x.waiting, worker_id = p_worker_id,
               definition_hash = x.hash, started_at = COALESCE(e.started_at, x.started), rev = e.rev + 1
          FROM unnest(l_row, x_kind, verdicts, x_node, x_why, x_waiting, x_started, l_hash)
               AS x (place, kind, verdict, node, why, waiting, started, hash)
         WHERE e.ctid = x.place AND x.kind = 3 AND x.verdict = 'committed';
        GET DIAGNOSTICS ended = ROW_COUNT;
        IF deleted <> ended THEN
            RAISE EXCEPTION 'a locked row has moved' USING ERRCODE = 'serialization_failure';
        END IF;
    END IF;

    IF 4 = ANY (x_kind) THEN
        DELETE FROM {schema}.held h
         USING unnest(l_held, x_kind, verdicts) AS x (place, kind, verdict)
         WHERE h.ctid = x.place AND x.kind = 4 AND x.verdict = 'committed';
        GET DIAGNOSTICS deleted = ROW_COUNT;
        UPDATE {schema}.workflow_executions e
           SET status = x.status, current_node_id = COALESCE(x.node, e.current_node_id), result = x.result,
               error = x.error, error_details = x.details, waiting_for = NULL,
               tokens_in = x.tokens_in, tokens_out = x.tokens_out, words = x.words, worker_id = p_worker_id,
               definition_hash = x.hash, started_at = COALESCE(e.started_at, x.started), finished_at = clock_timestamp(), rev = e.rev + 1
          FROM unnest(l_row, x_kind, verdicts, x_status, x_node, x_result, x_error, x_details, x_tokens_in, x_tokens_out, x_words,
                      x_started, l_hash)
               AS x (place, kind, verdict, status, node, result, error, details, tokens_in, tokens_out, words, started, hash)
         WHERE e.ctid = x.place AND x.kind = 4 AND x.verdict = 'committed';
        GET DIAGNOSTICS ended = ROW_COUNT;
        IF deleted <> ended THEN
            RAISE EXCEPTION 'a locked row has moved' USING ERRCODE = 'serialization_failure';
        END IF;
        IF 'failed' = ANY (x_status) OR 'cancelled' = ANY (x_status) THEN
            INSERT INTO {schema}.outcomes (seq, run, status)
            SELECT x.exec, x.run, x.status
              FROM unnest(x_exec, x_run, x_kind, verdicts, x_status) AS x (exec, run, kind, verdict, status)
             WHERE x.kind = 4 AND x.verdict = 'committed' AND x.status IN ('failed', 'cancelled');
        END IF;
    END IF;

    IF 5 = ANY (x_kind) THEN
        WITH gone AS (
            DELETE FROM {schema}.held h
             USING unnest(x_exec, x_kind, verdicts) AS x (exec, kind, verdict)
             WHERE h.exec = ANY (ARRAY[x.exec]) AND x.kind = 5 AND x.verdict = 'committed'
            RETURNING h.exec, h.tenant, h.epoch, h.pri, h.rescues, h.run, h.definition_hash)
        INSERT INTO {schema}.ready (exec, tenant, epoch, class, pri, rescues, run, definition_hash)
        SELECT g.exec, g.tenant, g.epoch, 0, g.pri, g.rescues, g.run, g.definition_hash FROM gone g;
        PERFORM {schema}.nudge();
    END IF;

    -- What goes with the steps: events consumed, children started. Null when no item has any; then nothing is looked at.
    IF x_aside IS NOT NULL THEN
        FOR i IN 1 .. cardinality(x_exec) LOOP
            IF x_aside[i] IS NOT NULL AND verdicts[i] = 'committed' THEN
                PERFORM {schema}.flush_aside(x_exec[i], x_run[i], x_aside[i]);
            END IF;
        END LOOP;
    END IF;

    -- A late outcome of a step whose retry is parked: it need not wait for that any more.
    IF 'late' = ANY (verdicts) THEN
        WITH woken AS (
            DELETE FROM {schema}.parked p
             USING unnest(x_exec, verdicts) AS x (exec, verdict)
             WHERE p.exec = ANY (ARRAY[x.exec]) AND x.verdict = 'late' AND p.why = 'retry' AND NOT p.paused
            RETURNING p.exec, p.tenant, p.epoch, p.pri, p.run, p.definition_hash)
        INSERT INTO {schema}.ready (exec, tenant, epoch, class, pri, run, definition_hash)
        SELECT w.exec, w.tenant, w.epoch, 0, w.pri, w.run, w.definition_hash FROM woken w;
        PERFORM {schema}.nudge();
    END IF;

    -- 4. A write refused because the execution is over or in another run is itself the notice: its place is given back here.
    IF dropped THEN
        WITH gone AS (
            DELETE FROM {schema}.held h
             USING unnest(x_exec, x_epoch, x_run, verdicts, l_status) AS x (exec, epoch, run, verdict, status)
             WHERE h.exec = ANY (ARRAY[x.exec]) AND h.inc = p_inc AND h.epoch = x.epoch AND h.run = x.run AND x.verdict IN ('finished', 'other_run')
            RETURNING h.exec, h.tenant, h.epoch, h.pri, x.status)
        INSERT INTO {schema}.ready (exec, tenant, epoch, class, pri)
        SELECT g.exec, g.tenant, g.epoch, 0, g.pri FROM gone g WHERE g.status NOT IN ('completed', 'failed', 'cancelled');
        PERFORM {schema}.nudge();
    END IF;
    IF 'locked' = ANY (verdicts) THEN
        FOR i IN 1 .. cardinality(x_exec) LOOP
            IF verdicts[i] = 'locked' AND NOT EXISTS (SELECT FROM {schema}.workflow_executions e WHERE e.seq = x_exec[i]) THEN
                verdicts[i] := 'missing';
                DELETE FROM {schema}.held h WHERE h.exec = x_exec[i] AND h.inc = p_inc AND h.epoch = x_epoch[i] AND h.run = x_run[i];
            END IF;
        END LOOP;
    END IF;

    RETURN QUERY
    SELECT x.exec, x.verdict, x.status, x.run
      FROM unnest(x_exec, x_kind, verdicts, l_status, l_run) AS x (exec, kind, verdict, status, run)
     WHERE x.kind <> 4 OR x.verdict <> 'committed';
END $$;

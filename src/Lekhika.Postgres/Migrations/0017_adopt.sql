-- The earlier platforms' own tables, kept true for front ends that read them. Nothing here is at work until a script of packaging/adopt has called
-- adopt(): only then are there triggers, on our executions and on the platform's tables.
--
--   outbound   a trigger on workflow_executions, in the transaction that records a state: the first sign of life of a run, and its end. Those two
--              writes a run are all there are. What is written is made from the row as it stands, so that writing it again does no harm.
--   it raises  what it wrote is undone, the state is not; the execution goes to mirror_queue and is written again until that succeeds
--   locked     a row that somebody else holds is waited for shortly, below deadlock_timeout, and then counts as raised
--   inbound    triggers on the platform's tables: a stop or pause that is written there is one here, and for SynthralOS a row there is an execution
--
-- An execution is mirrored if the platform's table has a row of its id. Locks are taken in one order: our execution, then the platform's row.
CREATE TABLE {schema}.adopted (
    platform text PRIMARY KEY CHECK (platform IN ('lekhika', 'synthralos')),
    place    text NOT NULL,
    at       timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN {schema}.adopted.place IS 'Schema of the platform''s tables.';

CREATE TABLE {schema}.mirror_queue (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    execution_id uuid NOT NULL,
    platform     text NOT NULL,
    attempts     int NOT NULL DEFAULT 1,
    error        text NOT NULL,
    failed_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    next_at      timestamptz NOT NULL DEFAULT clock_timestamp() + interval '2 seconds'
);
COMMENT ON TABLE {schema}.mirror_queue IS 'Executions that could not be written to the platform''s table, with the error; written again until that succeeds.';

-- The nodes at the top of a definition, in any of its dialects, with the key that their steps have.
CREATE FUNCTION {schema}.mirrored_nodes(p_definition jsonb) RETURNS TABLE (place int, id text, key text, name text, kind text)
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog
AS $$
    SELECT (row_number() OVER (ORDER BY m.at))::int - 1, m.id, regexp_replace(m.id, '([\\.\[\]])', '\\\1', 'g'),
           COALESCE(m.node->'data'->>'label', m.node->>'name', m.id),
           COALESCE(m.node->'data'->>'type', m.node->>'node_type', m.node->>'type', '')
      FROM (SELECT n.at, n.node, COALESCE(n.node->>'id', n.node->>'node_id', n.key) AS id
              FROM (SELECT COALESCE(p_definition->'nodes', p_definition->'graph_config'->'nodes', p_definition->'workflow'->'nodes') AS nodes) d
             CROSS JOIN LATERAL (
                   SELECT NULL AS key, a.node, a.at
                     FROM jsonb_array_elements(CASE WHEN jsonb_typeof(d.nodes) = 'array' THEN d.nodes END) WITH ORDINALITY AS a (node, at)
                   UNION ALL
                   SELECT o.key, o.value, row_number() OVER ()
                     FROM jsonb_each(CASE WHEN jsonb_typeof(d.nodes) = 'object' THEN d.nodes END) AS o) n) m
     WHERE m.id IS NOT NULL
$$;

-- The nodes of a run with what became of them: the latest outcome of each, taken over or its own.
CREATE FUNCTION {schema}.mirrored_steps(p_seq bigint, p_run int, p_definition jsonb)
    RETURNS TABLE (place int, id text, key text, name text, kind text, outcome text, output jsonb, error jsonb, metrics jsonb,
                   started_at timestamptz, finished_at timestamptz, tokens bigint, words bigint)
    LANGUAGE sql STABLE SET search_path = pg_catalog
AS $$
    WITH last AS MATERIALIZED (
        SELECT DISTINCT ON (s.step_key) s.* FROM {schema}.run_steps(p_seq, p_run) s WHERE s.ordinal = 0 ORDER BY s.step_key, s.made_in DESC)
    SELECT n.place, n.id, n.key, n.name, n.kind, l.outcome, l.output, l.error, l.metrics, l.started_at, l.finished_at,
           COALESCE((l.metrics->>'tokens_in')::bigint, 0) + COALESCE((l.metrics->>'tokens_out')::bigint, 0), COALESCE((l.metrics->>'words')::bigint, 0)
      FROM {schema}.mirrored_nodes(p_definition) n
      LEFT JOIN last l ON l.step_key = n.key
$$;

CREATE FUNCTION {schema}.mirrored_definition(e {schema}.workflow_executions) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog
AS $$
    SELECT COALESCE((SELECT d.definition FROM {schema}.definitions d WHERE d.hash = e.definition_hash), e.definition,
                    (SELECT w.definition FROM {schema}.workflows w WHERE w.id = e.workflow_id))
$$;

-- ── Lekhika: engine_executions ───────────────────────────────────────────────────────────────────────────────────────
-- Its status knows running, completed and failed. execution_data keeps what the platform put there and gets what the front end reads; the
-- checkpoint is there while the execution has failed, and only then.
CREATE FUNCTION {schema}.mirror_lekhika(p_id uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
DECLARE
    target text := (SELECT format('%I.engine_executions', a.place) FROM {schema}.adopted a WHERE a.platform = 'lekhika');
    e {schema}.workflow_executions;
    l_definition jsonb;
    is_over boolean;
    is_failed boolean;
    is_large boolean;
    is_known boolean;
    failed_id text;
    failed_name text;
    failed_place int;
    said jsonb;
    ms bigint;
BEGIN
    EXECUTE format('SELECT true FROM %s x WHERE x.id = $1', target) INTO is_known USING p_id;
    IF is_known IS NULL THEN RETURN; END IF;
    SELECT x.* INTO e FROM {schema}.workflow_executions x WHERE x.id = p_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN RETURN; END IF;
    is_over := e.status IN ('completed', 'failed', 'cancelled');
    is_failed := e.status = 'failed';
    ms := (extract(epoch FROM COALESCE(e.finished_at, clock_timestamp()) - COALESCE(e.started_at, e.created_at)) * 1000)::bigint;
    l_definition := {schema}.mirrored_definition(e);

    -- The result is always there whole; of outputs as large as this only the result is.
    SELECT COALESCE(sum(pg_column_size(s.output)), 0) > 8000000 INTO is_large FROM {schema}.mirrored_steps(e.seq, e.run, l_definition) s;
    IF is_failed THEN
        SELECT s.id, s.name, s.place INTO failed_id, failed_name, failed_place FROM {schema}.mirrored_steps(e.seq, e.run, l_definition) s
         WHERE s.outcome = 'failed' OR s.key = e.error_details->>'step' OR s.id = e.current_node_id
         ORDER BY s.key = e.error_details->>'step' DESC NULLS LAST, s.outcome = 'failed' DESC NULLS LAST, s.finished_at DESC NULLS LAST
         LIMIT 1;
    END IF;

    WITH s AS MATERIALIZED (SELECT * FROM {schema}.mirrored_steps(e.seq, e.run, l_definition)),
         done AS (SELECT * FROM s WHERE s.outcome = 'succeeded')
    SELECT jsonb_build_object(
               'totalNodes', count(*),
               'progress', CASE WHEN e.status = 'completed' THEN 100
                                ELSE LEAST(99, round(100.0 * count(*) FILTER (WHERE s.outcome = 'succeeded') / GREATEST(count(*), 1))) END,
               'processingSteps', COALESCE(jsonb_agg(jsonb_build_object(
                    'id', s.id, 'nodeId', s.id, 'name', s.name,
                    'status', CASE WHEN s.outcome = 'succeeded' THEN 'completed' WHEN s.outcome = 'failed' THEN 'failed'
                                   WHEN s.id = e.current_node_id AND NOT is_over THEN 'running' ELSE 'pending' END,
                    'progress', CASE WHEN s.outcome = 'succeeded' THEN 100 ELSE 0 END, 'tokens', s.tokens, 'words', s.words,
                    'provider', COALESCE(s.output->>'model', s.metrics->>'model'), 'nodeIndex', s.place, 'sequenceNumber', s.place, 'executionIndex', s.place,
                    'totalNodes', (SELECT count(*) FROM s), 'updatedAt', (extract(epoch FROM s.finished_at) * 1000)::bigint, 'displayOrder', s.place)
                    ORDER BY s.place), '[]'),
               'nodeResults', COALESCE(jsonb_object_agg(s.id, jsonb_build_object(
                    'type', CASE WHEN s.kind = 'output' THEN 'final_output' ELSE s.kind END, 'nodeName', s.name,
                    'status', CASE WHEN s.outcome = 'succeeded' THEN 'completed' ELSE 'failed' END,
                    'content', CASE WHEN is_large THEN '' ELSE COALESCE(s.output->>'text', s.output->>'content', s.output::text, '') END,
                    'tokens', s.tokens, 'words', s.words, 'providerName', COALESCE(s.output->>'model', s.metrics->>'model'),
                    'chapters', CASE WHEN jsonb_typeof(s.output->'chapters') = 'array' AND NOT is_large THEN s.output->'chapters' ELSE '[]' END,
                    'aiMetadata', jsonb_build_object('tokens', s.tokens, 'words', s.words, 'cost', 0, 'model', COALESCE(s.output->>'model', s.metrics->>'model')),
                    'metadata', jsonb_build_object('nodeId', s.id, 'nodeName', s.name)
                        || CASE WHEN jsonb_typeof(s.output->'formats') = 'object' THEN jsonb_build_object('allFormats', s.output->'formats') ELSE '{}' END)
                    || CASE WHEN s.error IS NULL THEN '{}' ELSE jsonb_build_object('error', s.error->>'message') END)
                    FILTER (WHERE s.outcome IS NOT NULL), '{}'),
               'storyContext', jsonb_build_object('chapters', COALESCE((SELECT d.output->'chapters' FROM done d WHERE jsonb_typeof(d.output->'chapters') = 'array'
                    ORDER BY d.finished_at DESC LIMIT 1), '[]'), 'structural', '{}'::jsonb, 'assets', jsonb_build_object('images', '[]'::jsonb, 'cover', NULL),
                    'metadata', '{}'::jsonb))
           || CASE WHEN NOT is_failed THEN '{}' ELSE jsonb_build_object(
               'resumable', true, 'failedNodeId', failed_id, 'failedNodeName', failed_name,
               'checkpointData', jsonb_build_object(
                    'nodeId', failed_id, 'nodeName', failed_name, 'nodeIndex', COALESCE(failed_place, 0), 'failedAtNode', failed_id,
                    'completedNodes', COALESCE((SELECT jsonb_agg(d.id ORDER BY d.finished_at, d.place) FROM done d), '[]'),
                    'nodeOutputs', CASE WHEN is_large THEN '{}' ELSE COALESCE((SELECT jsonb_object_agg(d.id, d.output) FROM done d), '{}') END,
                    'lastNodeOutput', CASE WHEN is_large THEN NULL ELSE (SELECT d.output FROM done d ORDER BY d.finished_at DESC, d.place DESC LIMIT 1) END,
                    'structuralNodeOutputs', '{}'::jsonb, 'userInput', COALESCE(e.inputs, '{}'), 'executionUser', jsonb_build_object('id', e.user_id),
                    'executionOrder', COALESCE(jsonb_agg(jsonb_build_object('id', s.id, 'type', s.kind) ORDER BY s.place), '[]'),
                    'timestamp', e.finished_at)) END
           || jsonb_build_object('nodeIndex', COALESCE(max(s.place) FILTER (WHERE s.id = e.current_node_id), 0),
               'currentNode', COALESCE(max(s.name) FILTER (WHERE s.id = e.current_node_id), e.current_node_id))
      INTO said FROM s;

    said := said || jsonb_build_object(
        'status', CASE WHEN is_over THEN e.status ELSE 'running' END, 'message', CASE WHEN is_failed THEN e.error WHEN is_over THEN e.status ELSE 'running' END,
        'currentNodeId', e.current_node_id, 'run', e.run, 'tokens', e.tokens_in + e.tokens_out, 'words', e.words, 'cost', 0, 'duration', ms,
        'startTime', (extract(epoch FROM COALESCE(e.started_at, e.created_at)) * 1000)::bigint, 'timestamp', clock_timestamp(),
        'allFormats', CASE WHEN jsonb_typeof(e.result->'formats') = 'object' THEN e.result->'formats' ELSE '[]' END);
    IF is_over THEN
        said := said || jsonb_build_object('endTime', (extract(epoch FROM e.finished_at) * 1000)::bigint, 'completedAt', e.finished_at,
            'totalTokens', e.tokens_in + e.tokens_out, 'totalWords', e.words, 'totalCost', 0);
    END IF;
    IF e.status = 'completed' THEN
        said := said || jsonb_build_object('result', e.result);
    ELSIF is_over THEN
        said := said || jsonb_build_object('error', e.error, 'error_message', e.error, 'errorDetails', e.error_details);
    END IF;

    EXECUTE format($u$
        UPDATE %s x
           SET execution_data = $2 || (CASE WHEN jsonb_typeof(x.execution_data) = 'object' THEN x.execution_data ELSE '{}' END
                   - '{checkpointData,resumable,failedNodeId,failedNodeName,error,error_message,errorDetails,result,endTime,completedAt,lastValidationError,regenerateContext}'::text[]) || $3,
               status = $4, error_message = $5, execution_time_ms = $6, tokens_used = $7, completed_at = $8
         WHERE x.id = $1 $u$, target)
      USING p_id,
            jsonb_build_object('userInput', COALESCE(e.inputs, '{}'), 'nodes', COALESCE(l_definition->'nodes', '[]'), 'edges', COALESCE(l_definition->'edges', '[]')),
            said, CASE WHEN e.status = 'completed' THEN 'completed' WHEN is_over THEN 'failed' ELSE 'running' END,
            CASE WHEN is_over AND e.status <> 'completed' THEN e.error END, CASE WHEN is_over THEN LEAST(ms, 2147483647)::int END,
            LEAST(e.tokens_in + e.tokens_out, 2147483647)::int, CASE WHEN is_over THEN e.finished_at END;
END $$;

-- The platform stops by writing cancelled, which its own check refuses: it becomes failed with that message, and the execution is cancelled. Failed,
-- written over a running one, is a stop too. What is over stays as it is. execution_data is never null: the front end reaches into it unguarded.
CREATE FUNCTION {schema}.on_engine_stop() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    IF TG_WHEN = 'BEFORE' THEN
        NEW.execution_data := COALESCE(NEW.execution_data, '{}');
        IF TG_OP = 'INSERT' OR NEW.status IS DISTINCT FROM 'cancelled' THEN RETURN NEW; END IF;
        NEW.error_message := COALESCE(CASE WHEN OLD.status = 'running' THEN NEW.error_message ELSE OLD.error_message END, 'cancelled');
        NEW.status := CASE WHEN OLD.status = 'running' THEN 'failed' ELSE OLD.status END;
        RETURN NEW;
    END IF;
    UPDATE {schema}.workflow_executions e SET status = 'cancelled', error = COALESCE(NEW.error_message, 'cancelled')
     WHERE e.id = NEW.id AND e.status NOT IN ('completed', 'failed', 'cancelled');
    RETURN NULL;
END $$;

-- ── SynthralOS: workflowexecution ────────────────────────────────────────────────────────────────────────────────────
-- The column and the JSON say the same. Times are UTC without a zone, with six digits; every output is an object.
CREATE FUNCTION {schema}.mirror_synthralos(p_id uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
DECLARE
    target text := (SELECT format('%I.workflowexecution', a.place) FROM {schema}.adopted a WHERE a.platform = 'synthralos');
    e {schema}.workflow_executions;
    row_now record;
    is_over boolean;
    shown text;
    state jsonb;
    stamp CONSTANT text := 'YYYY-MM-DD"T"HH24:MI:SS.US';
BEGIN
    EXECUTE format('SELECT x.execution_id, x.workflow_id::text, x.workflow_version, x.started_at, x.execution_state::jsonb AS state FROM %s x WHERE x.id = $1', target)
       INTO row_now USING p_id;
    IF row_now.execution_id IS NULL THEN RETURN; END IF;
    SELECT x.* INTO e FROM {schema}.workflow_executions x WHERE x.id = p_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN RETURN; END IF;
    is_over := e.status IN ('completed', 'failed', 'cancelled');
    shown := CASE e.status WHEN 'completed' THEN 'completed' WHEN 'paused' THEN 'paused' ELSE CASE WHEN is_over THEN 'failed' ELSE 'running' END END;

    SELECT jsonb_build_object(
               'execution_id', row_now.execution_id, 'workflow_id', row_now.workflow_id, 'workflow_version', row_now.workflow_version, 'status', shown,
               'current_node_id', e.current_node_id, 'started_at', to_char(row_now.started_at, stamp),
               'error_message', CASE WHEN shown = 'failed' THEN e.error END, 'retry_count', e.run - 1, 'next_retry_at', NULL,
               'completed_node_ids', COALESCE(jsonb_agg(s.id ORDER BY s.finished_at, s.place) FILTER (WHERE s.outcome = 'succeeded'), '[]'),
               'node_results', COALESCE(jsonb_object_agg(s.id, jsonb_build_object(
                    'node_id', s.id, 'status', CASE WHEN s.outcome = 'succeeded' THEN 'success' ELSE 'failed' END,
                    'output', CASE WHEN jsonb_typeof(s.output) = 'object' THEN s.output ELSE '{}' END, 'error', s.error->>'message',
                    'started_at', to_char(COALESCE(s.started_at, s.finished_at, e.created_at) AT TIME ZONE 'UTC', stamp),
                    'completed_at', to_char(COALESCE(s.finished_at, s.started_at, e.created_at) AT TIME ZONE 'UTC', stamp),
                    'duration_ms', COALESCE((extract(epoch FROM s.finished_at - s.started_at) * 1000)::int, 0)))
                    FILTER (WHERE s.outcome IS NOT NULL), '{}'),
               'execution_data', COALESCE(NULLIF(row_now.state->'execution_data', 'null'), e.inputs, '{}')
                    || COALESCE(jsonb_object_agg(s.id || '_output', s.output) FILTER (WHERE s.outcome = 'succeeded'), '{}'))
      INTO state FROM {schema}.mirrored_steps(e.seq, e.run, {schema}.mirrored_definition(e)) s;

    EXECUTE format($u$
        UPDATE %s x
           SET execution_state = $2, status = $3, current_node_id = left($4, 255), error_message = $5, next_retry_at = NULL, retry_count = $6,
               completed_at = $7
         WHERE x.id = $1 $u$, target)
      USING p_id, state, shown, e.current_node_id, CASE WHEN shown = 'failed' THEN e.error END, e.run - 1,
            CASE WHEN is_over THEN e.finished_at AT TIME ZONE 'UTC' END;
END $$;

-- A row is an execution of the workflow's graph as it is then. A graph that cannot run fails the execution with the reason, not the statement.
-- False: it has one already, or there is no such row.
CREATE FUNCTION {schema}.start_synthralos(p_id uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
    place text := (SELECT a.place FROM {schema}.adopted a WHERE a.platform = 'synthralos');
    r record;
BEGIN
    EXECUTE format($q$
        SELECT x.status, x.execution_state::jsonb->'execution_data' AS data, w.graph_config::jsonb AS graph, w.owner_id::text AS owner
          FROM %1$I.workflowexecution x LEFT JOIN %1$I.workflow w ON w.id = x.workflow_id WHERE x.id = $1 $q$, place) INTO r USING p_id;
    IF r.status IS NULL THEN RETURN false; END IF;
    INSERT INTO {schema}.workflow_executions (id, definition, inputs, user_id, status)
    VALUES (p_id, COALESCE(r.graph, '{"nodes":[],"edges":[]}'), CASE WHEN jsonb_typeof(r.data) = 'object' THEN r.data ELSE '{}' END, r.owner,
            CASE WHEN r.status = 'paused' THEN 'paused' ELSE 'pending' END)
        ON CONFLICT (id) DO NOTHING;
    RETURN FOUND;
END $$;
REVOKE EXECUTE ON FUNCTION {schema}.start_synthralos(uuid) FROM PUBLIC;

CREATE FUNCTION {schema}.on_synthralos_insert() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    PERFORM {schema}.start_synthralos(NEW.id);
    RETURN NULL;
END $$;

-- Pause, resume and terminate, which the platform's API makes by writing the status. What the earlier worker left unfinished has no execution; resumed, it
-- begins anew as one, since nobody else would run it.
CREATE FUNCTION {schema}.on_synthralos_status() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    IF NEW.status = 'paused' THEN
        UPDATE {schema}.workflow_executions e SET status = 'paused' WHERE e.id = NEW.id AND e.status IN ('pending', 'running', 'waiting');
    ELSIF NEW.status = 'running' THEN
        UPDATE {schema}.workflow_executions e SET status = 'pending'
         WHERE e.id = NEW.id AND (e.status = 'paused' OR (e.status = 'failed' AND OLD.status = 'failed'));
        IF NOT FOUND AND NEW.completed_at IS NULL AND {schema}.start_synthralos(NEW.id) THEN
            RETURN NULL;
        END IF;
    ELSIF NEW.status = 'failed' THEN
        UPDATE {schema}.workflow_executions e SET status = 'cancelled', error = COALESCE(NEW.error_message, 'cancelled')
         WHERE e.id = NEW.id AND e.status NOT IN ('completed', 'failed', 'cancelled');
    END IF;
    -- What is over here stays so there: its API pauses even what has completed.
    IF NOT FOUND AND EXISTS (SELECT FROM {schema}.workflow_executions e WHERE e.id = NEW.id AND e.status IN ('completed', 'failed', 'cancelled')) THEN
        PERFORM {schema}.mirror_synthralos(NEW.id);
    END IF;
    RETURN NULL;
END $$;

-- A signal is passed on and marked as taken; the answer to an approval is in its data, {"decision": "approve"}.
CREATE FUNCTION {schema}.on_synthralos_signal() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    IF EXISTS (SELECT FROM {schema}.workflow_executions e WHERE e.id = NEW.execution_id) THEN
        INSERT INTO {schema}.workflow_signals (execution_id, name, payload)
        VALUES (NEW.execution_id, CASE WHEN NEW.signal_type = 'human_approval' THEN COALESCE(NEW.signal_data::jsonb->>'decision', NEW.signal_type) ELSE NEW.signal_type END,
                NEW.signal_data::jsonb);
        NEW.processed := true;
    END IF;
    RETURN NEW;
END $$;

-- ── the trigger, and writing again ───────────────────────────────────────────────────────────────────────────────────
CREATE FUNCTION {schema}.on_mirror() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    SET enable_seqscan = on
    SET enable_bitmapscan = on
    SET enable_hashjoin = on
    SET enable_mergejoin = on
    SET plan_cache_mode = auto
    SET lock_timeout = '400ms'
AS $$
DECLARE
    l_error text;
BEGIN
    -- Was never run: a repetition of one that retention has removed.
    IF NEW.error_details->>'code' = 'already_ran' THEN
        RETURN NULL;
    END IF;
    -- One that had to wait for a lock in this transaction already has held up enough others.
    IF current_setting('lekhika.mirror_waited', true) = pg_current_xact_id()::text THEN
        PERFORM set_config('lock_timeout', '10ms', true);
    END IF;
    BEGIN
        IF TG_ARGV[0] = 'lekhika' THEN
            PERFORM {schema}.mirror_lekhika(NEW.id);
        ELSE
            PERFORM {schema}.mirror_synthralos(NEW.id);
        END IF;
        RETURN NULL;
    EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
        l_error := format('%s (SQLSTATE %s)', SQLERRM, SQLSTATE);
        IF SQLSTATE = '55P03' THEN
            PERFORM set_config('lekhika.mirror_waited', pg_current_xact_id()::text, true);
        END IF;
    END;
    INSERT INTO {schema}.mirror_queue (execution_id, platform, error) VALUES (NEW.id, TG_ARGV[0], l_error);
    RAISE WARNING 'execution %: the platform''s row could not be written: %; it will be tried again', NEW.id, l_error;
    RETURN NULL;
END $$;

-- Writes again what could not be written, each in a subtransaction of its own. Returns those that failed again.
CREATE FUNCTION {schema}.retry_mirrors(p_limit int) RETURNS TABLE (execution_id uuid, attempts int, error text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog
    SET lock_timeout = '400ms'
AS $$
#variable_conflict use_column
DECLARE
    q {schema}.mirror_queue;
BEGIN
    FOR q IN SELECT * FROM {schema}.mirror_queue w WHERE w.next_at <= clock_timestamp() ORDER BY w.next_at LIMIT p_limit FOR UPDATE SKIP LOCKED LOOP
        BEGIN
            IF q.platform = 'lekhika' THEN
                PERFORM {schema}.mirror_lekhika(q.execution_id);
            ELSE
                PERFORM {schema}.mirror_synthralos(q.execution_id);
            END IF;
            DELETE FROM {schema}.mirror_queue w WHERE w.id = q.id;
        EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
            execution_id := q.execution_id;
            attempts := q.attempts + 1;
            error := format('%s (SQLSTATE %s)', SQLERRM, SQLSTATE);
            UPDATE {schema}.mirror_queue w
               SET attempts = w.attempts + 1, error = retry_mirrors.error,
                   next_at = clock_timestamp() + LEAST(interval '2 seconds' * power(2, LEAST(w.attempts, 12)), interval '10 minutes')
             WHERE w.id = q.id;
            RETURN NEXT;
        END;
    END LOOP;
END $$;

-- Called by the scripts of packaging/adopt before they make triggers: whether the platform's table is one that can be kept, and may be written.
CREATE FUNCTION {schema}.adopt(p_platform text, p_place text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
DECLARE
    l_name text := CASE p_platform WHEN 'lekhika' THEN 'engine_executions' WHEN 'synthralos' THEN 'workflowexecution' END;
    l_table regclass := to_regclass(format('%I.%I', p_place, l_name));
    l_writer name := (SELECT pg_get_userbyid(p.proowner) FROM pg_proc p WHERE p.oid = '{schema}.on_mirror()'::regprocedure);
    l_missing text;
BEGIN
    IF l_table IS NULL THEN
        RAISE EXCEPTION 'there is no table %.%', p_place, l_name USING ERRCODE = 'undefined_table', HINT = 'Give its schema: psql -v platform=NAME';
    END IF;
    SELECT string_agg(c.name, ', ') INTO l_missing
      FROM unnest(CASE p_platform
               WHEN 'lekhika' THEN '{id,execution_data,status,error_message,execution_time_ms,tokens_used,completed_at}'::text[]
               ELSE '{id,workflow_id,workflow_version,execution_id,status,started_at,completed_at,error_message,current_node_id,execution_state,retry_count,next_retry_at}' END)
           AS c (name)
      LEFT JOIN pg_attribute a ON a.attrelid = l_table AND a.attname = c.name AND NOT a.attisdropped
     WHERE a.attname IS NULL OR (c.name = 'id' AND a.atttypid <> 'uuid'::regtype) OR (c.name = 'execution_data' AND a.atttypid <> 'jsonb'::regtype);
    IF l_missing IS NOT NULL THEN
        RAISE EXCEPTION 'the table % is not the platform''s: columns missing or of another type: %', l_table, l_missing USING ERRCODE = 'undefined_column';
    END IF;
    IF EXISTS (SELECT FROM pg_class c JOIN pg_roles r ON r.rolname = l_writer
                WHERE c.oid = l_table AND c.relrowsecurity AND NOT r.rolsuper AND NOT r.rolbypassrls
                  AND (c.relforcerowsecurity OR NOT pg_has_role(r.oid, c.relowner, 'USAGE'))) THEN
        RAISE EXCEPTION 'row-level security would hide the rows of % from %', l_table, l_writer
              USING ERRCODE = 'insufficient_privilege', HINT = format('As a superuser: ALTER ROLE %I BYPASSRLS. Or let database.url name the table''s owner, before "lekhika-daemon migrate".', l_writer);
    END IF;
    IF NOT has_schema_privilege(l_writer, p_place, 'USAGE') THEN EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', p_place, l_writer); END IF;
    IF NOT (has_table_privilege(l_writer, l_table, 'SELECT') AND has_table_privilege(l_writer, l_table, 'UPDATE')) THEN
        EXECUTE format('GRANT SELECT, UPDATE ON %s TO %I', l_table, l_writer);
    END IF;
    INSERT INTO {schema}.adopted (platform, place) VALUES (p_platform, p_place) ON CONFLICT (platform) DO UPDATE SET place = EXCLUDED.place;
END $$;

-- What executions wait for, besides time: signals, answers to approvals, children that end.
--
--   INSERT workflow_signals ──┐
--   a child ends, is deleted ─┴─► events ──► match_events: parked ► ready      (hinted, and every second over all of events)
--                                       └──► the owner of a held execution     (polls the topics it waits for)
--
-- An event is inserted by the transaction that causes it and deleted by the flush that records what came of it: until then it is
-- unconsumed, and nothing depends on the order in which ids commit. It names execution and run, and its topic says what it can be the
-- answer to. A parked execution lists in awaits the topics that its open steps wait for, and nothing else wakes it: so an event that came
-- early lies still until its step is reached, and none wakes an execution that would only go to sleep again.
--
--   signal:NAME             a signal for whichever step waits for one of that name
--   signal:NAME <US> KEY    a signal for one step (US is chr(31), which names cannot hold)
--   child:KEY <US> ATTEMPT  the child that this attempt of the step started has ended
--
-- The parker commits, then looks again in a new statement (match_events with its number): an event that committed between its last look and
-- its commit is found at once. If it dies in between, the sweep over all events finds it within a second.

ALTER TABLE {schema}.events
    ADD COLUMN topic     text NOT NULL DEFAULT '',
    ADD COLUMN attempt   int,
    ADD COLUMN signal_id uuid;
COMMENT ON TABLE {schema}.events IS 'What waiting executions are told, until they have taken it. Rows are appended and deleted, never updated.';
COMMENT ON COLUMN {schema}.events.topic IS 'What it can be the answer to; matched with parked.awaits.';

ALTER TABLE {schema}.workflow_executions
    ADD COLUMN IF NOT EXISTS parent_run     int,
    ADD COLUMN IF NOT EXISTS parent_attempt int;
COMMENT ON COLUMN {schema}.workflow_executions.parent_attempt IS 'The attempt of the parent''s step that waits for this child; null if none does.';

ALTER TABLE {schema}.workflow_signals ADD CONSTRAINT workflow_signals_name
    CHECK (name ~ '^[^[:cntrl:]]{1,200}$' AND octet_length(step_key) <= 2000) NOT VALID;
COMMENT ON TABLE {schema}.workflow_signals IS 'Signals as they were sent; a trigger makes events of them. An id is taken once.';

CREATE FUNCTION {schema}.child_topic(p_step text, p_attempt int) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT 'child:' || p_step || pg_catalog.chr(31) || p_attempt $$;

-- ── signals ──────────────────────────────────────────────────────────────────────────────────────────────────────────
-- A signal to an execution that is not there is refused as a foreign key would be. One to a finished execution is kept and has no effect.
-- Nothing is locked: a signal that commits while its execution ends comes too late.
CREATE FUNCTION {schema}.on_signal() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
    missing uuid;
    late int;
BEGIN
    SELECT f.execution_id INTO missing
      FROM fresh f
     WHERE NOT EXISTS (SELECT FROM {schema}.workflow_executions e WHERE e.id = f.execution_id)
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'there is no execution % to be sent a signal', missing
              USING ERRCODE = 'foreign_key_violation', HINT = 'Insert the execution first, and commit it.';
    END IF;

    INSERT INTO {schema}.events (exec, run, step_key, name, topic, payload, signal_id)
    SELECT e.seq, e.run, NULLIF(f.step_key, ''), f.name,
           'signal:' || f.name || COALESCE(chr(31) || NULLIF(f.step_key, ''), ''), f.payload, f.id
      FROM fresh f
      JOIN {schema}.workflow_executions e ON e.id = f.execution_id
     WHERE e.status NOT IN ('completed', 'failed', 'cancelled');
    IF FOUND THEN
        PERFORM pg_notify('{channel}', 'events');
    END IF;

    SELECT count(*) INTO late
      FROM fresh f
      JOIN {schema}.workflow_executions e ON e.id = f.execution_id
     WHERE e.status IN ('completed', 'failed', 'cancelled');
    IF late > 0 THEN
        RAISE NOTICE '% of these signals went to executions that are finished and have no effect', late;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER lekhika_signal AFTER INSERT ON {schema}.workflow_signals
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION {schema}.on_signal();

-- POST /executions/{id}/signals. verdict: accepted, repeated (that id was taken already), taken (by another execution), finished, missing.
CREATE FUNCTION {schema}.send_signal(
    p_id uuid, p_execution uuid, p_name text, p_step_key text, p_payload jsonb, OUT verdict text, OUT status text)
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
#variable_conflict use_column
DECLARE
    belongs_to uuid;
BEGIN
    SELECT e.status INTO status FROM {schema}.workflow_executions e WHERE e.id = p_execution;
    IF NOT FOUND THEN
        verdict := 'missing';
        RETURN;
    END IF;

    -- A repetition is answered as the first was, whatever the execution has come to since.
    SELECT s.execution_id INTO belongs_to FROM {schema}.workflow_signals s WHERE s.id = p_id;
    IF FOUND THEN
        verdict := CASE WHEN belongs_to = p_execution THEN 'repeated' ELSE 'taken' END;
        RETURN;
    ELSIF status IN ('completed', 'failed', 'cancelled') THEN
        verdict := 'finished';
        RETURN;
    END IF;

    INSERT INTO {schema}.workflow_signals (id, execution_id, name, step_key, payload)
    VALUES (p_id, p_execution, p_name, p_step_key, p_payload)
        ON CONFLICT (id) DO NOTHING;
    verdict := CASE WHEN FOUND THEN 'accepted' ELSE 'repeated' END;
END $$;

-- ── matching ─────────────────────────────────────────────────────────────────────────────────────────────────────────
-- Moves parked executions whose awaited event is there into ready. Looked at are the events of p_execs (just parked), the newest p_limit, and
-- the p_limit after p_after: with last given back as the next p_after, round after round goes over the whole table and begins anew (last 0),
-- whatever the order in which ids became visible. Paused ones are left alone: their events keep.
CREATE FUNCTION {schema}.match_events(p_execs bigint[], p_after bigint, p_limit int, OUT moved int, OUT last bigint)
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    SET enable_seqscan = off
    SET enable_bitmapscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET jit = off
    SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    hits bigint[];
    epochs int[];
BEGIN
    SELECT CASE WHEN count(*) < p_limit THEN 0 ELSE max(c.id) END INTO last
      FROM (SELECT v.id FROM {schema}.events v WHERE v.id > p_after ORDER BY v.id LIMIT p_limit) c;

    SELECT array_agg(h.exec), array_agg(h.epoch) INTO hits, epochs
      FROM (SELECT DISTINCT p.exec, p.epoch
              FROM ((SELECT v.exec, v.run, v.topic FROM {schema}.events v WHERE v.exec = ANY (p_execs))
                    UNION ALL
                    (SELECT v.exec, v.run, v.topic FROM {schema}.events v ORDER BY v.id DESC LIMIT p_limit)
                    UNION ALL
                    (SELECT v.exec, v.run, v.topic FROM {schema}.events v WHERE v.id > p_after ORDER BY v.id LIMIT p_limit)) s
             CROSS JOIN LATERAL (
                   SELECT p.exec, p.epoch FROM {schema}.parked p
                    WHERE p.exec = s.exec AND p.run = s.run AND NOT p.paused AND s.topic = ANY (p.awaits)
                   OFFSET 0) p) h;
    IF hits IS NULL THEN
        moved := 0;
        RETURN;
    END IF;

    WITH locked AS (
        SELECT p.exec
          FROM unnest(hits, epochs) AS h (exec, epoch)
          JOIN {schema}.parked p ON p.exec = ANY (ARRAY[h.exec]) AND p.epoch = h.epoch AND NOT p.paused
         ORDER BY p.exec
           FOR UPDATE OF p SKIP LOCKED),
    gone AS (
        DELETE FROM {schema}.parked p USING locked l WHERE p.exec = ANY (ARRAY[l.exec])
        RETURNING p.exec, p.tenant, p.epoch, p.pri, p.rescues, p.run, p.definition_hash),
    back AS (
        INSERT INTO {schema}.ready (exec, tenant, epoch, class, pri, rescues, run, definition_hash)
        SELECT exec, tenant, epoch, 0, pri, rescues, run, definition_hash FROM gone ORDER BY exec
        RETURNING 1)
    SELECT count(*) INTO moved FROM back;
    IF moved > 0 THEN
        PERFORM {schema}.nudge();
    END IF;
END $$;

-- Drops events that nothing will ever take: of completed or deleted executions, and of runs that are over. Those of failed and cancelled
-- executions stay while the row does, since such a run may be resumed. Goes over the table as match_events does.
CREATE FUNCTION {schema}.drop_events(p_after bigint, p_limit int, OUT dropped int, OUT last bigint)
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    SET enable_seqscan = off
    SET enable_bitmapscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET jit = off
AS $$
DECLARE
    stale bigint[];
BEGIN
    SELECT CASE WHEN count(*) < p_limit THEN 0 ELSE max(c.id) END,
           array_agg(c.id ORDER BY c.id) FILTER (WHERE e.seq IS NULL OR e.run > c.run OR e.status = 'completed')
      INTO last, stale
      FROM (SELECT v.id, v.exec, v.run FROM {schema}.events v WHERE v.id > p_after ORDER BY v.id LIMIT p_limit) c
      LEFT JOIN {schema}.workflow_executions e ON e.seq = ANY (ARRAY[c.exec]);
    DELETE FROM {schema}.events v WHERE v.id = ANY (stale);
    GET DIAGNOSTICS dropped = ROW_COUNT;
END $$;

-- ── children ─────────────────────────────────────────────────────────────────────────────────────────────────────────
-- A child is inserted by the flush that records its step as waiting, under the parent's fence: there is a recorded wait if and only if there
-- is a child, whatever dies in between. Its id is derived from parent, step, run and attempt, so that it could not be there twice either.
-- When it ends, by whatever hand, its parent is told in the same transaction.
CREATE FUNCTION {schema}.on_child_end() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    INSERT INTO {schema}.events (exec, run, step_key, attempt, name, topic, payload)
    SELECT p.seq, p.run, NEW.parent_step, NEW.parent_attempt, 'child', {schema}.child_topic(NEW.parent_step, NEW.parent_attempt),
           jsonb_build_object('execution_id', NEW.id, 'status', NEW.status)
      FROM {schema}.workflow_executions p
     WHERE p.id = NEW.parent_id AND p.run = NEW.parent_run AND p.status NOT IN ('completed', 'cancelled');
    RETURN NULL;
END $$;
CREATE TRIGGER lekhika_child_end AFTER UPDATE OF status ON {schema}.workflow_executions
    FOR EACH ROW WHEN (NEW.parent_attempt IS NOT NULL AND OLD.status IS DISTINCT FROM NEW.status
                       AND NEW.status IN ('completed', 'failed', 'cancelled'))
    EXECUTE FUNCTION {schema}.on_child_end();

-- A deleted execution takes its signals and events with it, tells a parent that waits for it, and leaves no child at work.
CREATE FUNCTION {schema}.on_delete_waiting() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    DELETE FROM {schema}.events v USING removed r WHERE v.exec = r.seq;
    DELETE FROM {schema}.workflow_signals s USING removed r WHERE s.execution_id = r.id;

    INSERT INTO {schema}.events (exec, run, step_key, attempt, name, topic, payload)
    SELECT p.seq, p.run, r.parent_step, r.parent_attempt, 'child', {schema}.child_topic(r.parent_step, r.parent_attempt),
           jsonb_build_object('execution_id', r.id, 'status', 'deleted')
      FROM removed r
      JOIN {schema}.workflow_executions p ON p.id = r.parent_id AND p.run = r.parent_run AND p.status NOT IN ('completed', 'cancelled')
     WHERE r.parent_attempt IS NOT NULL AND r.status NOT IN ('completed', 'failed', 'cancelled');

    INSERT INTO {schema}.commands (exec, kind)
    SELECT c.seq, 'orphan'
      FROM removed r
      JOIN {schema}.workflow_executions c ON c.parent_id = r.id
     WHERE r.status NOT IN ('completed', 'failed', 'cancelled') AND c.status NOT IN ('completed', 'failed', 'cancelled');
    IF FOUND THEN
        PERFORM pg_notify('{channel}', 'commands');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER lekhika_delete_waiting AFTER DELETE ON {schema}.workflow_executions
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION {schema}.on_delete_waiting();

-- What a flush does beside an execution's steps and status; called by it for committed items only, under the item's locks.
--   events    ids of the events that the steps consumed
--   children  executions to start: id, step, workflow_id, inputs, attempt (absent: nobody waits for it)
--   abandon   children to cancel, whose wait was over before they were
--   ends      this run is over: children it still waits for are cancelled
CREATE FUNCTION {schema}.flush_aside(p_exec bigint, p_run int, p_aside jsonb) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
DECLARE
    commanded boolean := false;
BEGIN
    IF p_aside ? 'events' THEN
        DELETE FROM {schema}.events v
         USING jsonb_array_elements_text(p_aside->'events') AS x (id)
         WHERE v.id = x.id::bigint AND v.exec = p_exec;
    END IF;

    IF p_aside ? 'children' THEN
        INSERT INTO {schema}.workflow_executions
               (id, workflow_id, inputs, user_id, priority, parent_id, parent_step, parent_run, parent_attempt)
        SELECT (c->>'id')::uuid, (c->>'workflow_id')::uuid, c->'inputs', p.user_id, p.priority, p.id, c->>'step', p_run, (c->>'attempt')::int
          FROM jsonb_array_elements(p_aside->'children') AS c
          JOIN {schema}.workflow_executions p ON p.seq = p_exec
            ON CONFLICT (id) DO NOTHING;
    END IF;

    IF p_aside ? 'abandon' THEN
        INSERT INTO {schema}.commands (exec, kind)
        SELECT c.seq, 'abandon'
          FROM jsonb_array_elements_text(p_aside->'abandon') AS x (id)
          JOIN {schema}.workflow_executions c ON c.id = x.id::uuid
         WHERE c.status NOT IN ('completed', 'failed', 'cancelled');
        commanded := FOUND;
    END IF;

    IF p_aside ? 'ends' THEN
        INSERT INTO {schema}.commands (exec, kind)
        SELECT c.seq, 'orphan'
          FROM {schema}.workflow_executions p
          JOIN {schema}.workflow_executions c ON c.parent_id = p.id
         WHERE p.seq = p_exec AND c.parent_run = p_run AND c.parent_attempt IS NOT NULL
           AND c.status NOT IN ('completed', 'failed', 'cancelled');
        commanded := commanded OR FOUND;
    END IF;

    IF commanded THEN
        PERFORM pg_notify('{channel}', 'commands');
    END IF;
END $$;

-- What a sub-workflow node needs to know before it starts a child: how deep its own execution stands (0: no parent; counted up to p_limit),
-- and the workflow. is_active is null if there is none.
CREATE FUNCTION {schema}.child_target(p_parent uuid, p_workflow uuid, p_limit int, OUT depth int, OUT is_active boolean, OUT name text)
    LANGUAGE sql STABLE SET search_path = pg_catalog
AS $$
    WITH RECURSIVE up AS (
        SELECT e.parent_id, 0 AS depth FROM {schema}.workflow_executions e WHERE e.id = p_parent
        UNION ALL
        SELECT e.parent_id, u.depth + 1 FROM up u JOIN {schema}.workflow_executions e ON e.id = u.parent_id WHERE u.depth < p_limit)
    SELECT (SELECT max(u.depth) FROM up u), w.is_active, w.name
      FROM (SELECT) one
      LEFT JOIN {schema}.workflows w ON w.id = p_workflow
$$;

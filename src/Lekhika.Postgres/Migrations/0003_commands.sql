-- SQL is an interface: what a backend's UPDATE of workflow_executions.status means.
--
--   from \ to          pending    paused   cancelled  running              completed, failed
--   pending            –          hold     drop       same as pending      refused
--   running, waiting   refused    pause    cancel     nothing              refused
--   paused             resume     –        cancel     resume               refused
--   finished           new run    refused  refused    new run              refused
--
-- The new run of a failed execution goes on where it failed, with every finished step in place and the definition it was pinned to, as a retry over
-- HTTP does; if the same UPDATE changes what it runs or runs on, and after completed and cancelled, it begins from the start.
--
-- Refused keeps the old value and says so in a NOTICE: an UPDATE of thousands of rows must not fail for one of them. The trigger
-- touches nothing but its own row and append-only tables, so it can neither deadlock with the daemon nor wait for it; whoever owns the
-- execution obeys the row as it stands.
CREATE FUNCTION {schema}.on_status() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
DECLARE
    was text := OLD.status;
    kind text;
    carries boolean;
BEGIN
    kind := CASE
        WHEN was = 'pending' AND NEW.status = 'running' THEN 'same'
        WHEN was IN ('pending', 'running', 'waiting') AND NEW.status = 'paused' THEN 'pause'
        WHEN was IN ('pending', 'running', 'waiting', 'paused') AND NEW.status = 'cancelled' THEN 'cancel'
        WHEN was = 'paused' AND NEW.status IN ('pending', 'running') THEN 'resume'
        WHEN was IN ('completed', 'failed', 'cancelled') AND NEW.status IN ('pending', 'running') THEN 'run'
        ELSE 'refuse'
    END;

    IF kind = 'refuse' THEN
        RAISE NOTICE 'execution %: status cannot go from % to %; kept %', OLD.id, was, NEW.status, was
              USING HINT = 'See the table of status changes in docs/sql.md.';
        NEW.status := was;
        RETURN NEW;
    ELSIF kind = 'same' THEN
        RETURN NEW;
    ELSIF kind = 'cancel' THEN
        NEW.finished_at := clock_timestamp();
        NEW.waiting_for := NULL;
        NEW.error := COALESCE(NEW.error, 'cancelled');
        NEW.error_details := COALESCE(NEW.error_details, jsonb_build_object('code', 'cancelled'));
        INSERT INTO {schema}.outcomes (seq, run, status) VALUES (OLD.seq, OLD.run, 'cancelled');
        -- Its children are cancelled by whoever obeys this: no row but its own is touched here.
        INSERT INTO {schema}.commands (exec, kind)
        SELECT c.seq, 'orphan' FROM {schema}.workflow_executions c
         WHERE c.parent_id = OLD.id AND c.status NOT IN ('completed', 'failed', 'cancelled');
    ELSIF kind = 'run' THEN
        carries := was = 'failed' AND NEW.inputs IS NOT DISTINCT FROM OLD.inputs AND NEW.definition IS NOT DISTINCT FROM OLD.definition
                   AND NEW.workflow_id IS NOT DISTINCT FROM OLD.workflow_id
                   AND EXISTS (SELECT FROM {schema}.workflow_execution_steps s WHERE s.seq = OLD.seq);
        -- The run is opened here, in the same UPDATE: an owner of the run before proves the wrong run from now on.
        NEW.run := OLD.run + 1;
        NEW.attempts := OLD.attempts + 1;
        NEW.status := 'pending';
        NEW.result := NULL;
        NEW.error := NULL;
        NEW.error_details := NULL;
        NEW.current_node_id := NULL;
        NEW.waiting_for := NULL;
        NEW.started_at := NULL;
        NEW.finished_at := NULL;
        NEW.run_at := NULL;
        -- A deadline that has passed was the last run's; a coming or newly given one holds.
        IF NEW.timeout_at <= clock_timestamp() THEN
            NEW.timeout_at := NULL;
        END IF;
        NEW.definition_hash := CASE WHEN carries THEN OLD.definition_hash END;
        NEW.tokens_in := 0;
        NEW.tokens_out := 0;
        NEW.words := 0;
        INSERT INTO {schema}.execution_runs (seq, run, definition_hash, reason, takes_over)
        VALUES (OLD.seq, NEW.run, NEW.definition_hash, 'status set to pending',
                CASE WHEN carries THEN {schema}.carry(OLD.seq, OLD.run, {schema}.resume_at(OLD.error_details)) END);
        IF carries THEN
            PERFORM {schema}.carry_signals(OLD.seq, OLD.run);
        END IF;
    END IF;

    INSERT INTO {schema}.commands (exec, kind) VALUES (OLD.seq, kind);
    PERFORM pg_notify('{channel}', 'commands');
    RETURN NEW;
END $$;

CREATE TRIGGER lekhika_status BEFORE UPDATE OF status ON {schema}.workflow_executions
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status AND OLD.rev = NEW.rev)
    EXECUTE FUNCTION {schema}.on_status();

-- A deleted execution leaves its place behind; claiming drops it, and this drops what is parked.
CREATE FUNCTION {schema}.on_delete() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    INSERT INTO {schema}.commands (exec, kind) SELECT seq, 'delete' FROM removed WHERE status NOT IN ('completed', 'failed', 'cancelled');
    IF FOUND THEN
        PERFORM pg_notify('{channel}', 'commands');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER lekhika_delete AFTER DELETE ON {schema}.workflow_executions
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION {schema}.on_delete();

-- Obeys commands for executions that nobody holds: parked ones are paused, woken or dropped, and a new run gets a place if it has
-- none. Returns how many commands were obeyed. The execution row is locked before places are looked at, in a statement of its own, so that
-- what it sees cannot be outdated by a flush that was just committing.
CREATE FUNCTION {schema}.obey(p_limit int) RETURNS int
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
    ids bigint[];
    execs bigint[];
    opens_run boolean;
    kinds text[];
    l_status text[];
    l_run int[];
    l_tenant int[];
    l_pri smallint[];
BEGIN
    PERFORM {schema}.generation_obey(p_limit);

    -- Executions whose row is locked by somebody are passed over, not counted: enough of them would keep all later commands waiting.
    -- Status stays null for those that were deleted.
    SELECT array_agg(c.id), array_agg(c.exec), bool_or(c.kind IN ('run', 'resume')), array_agg(c.kind),
           array_agg(c.status), array_agg(c.run), array_agg({schema}.tenant_of(c.user_id)), array_agg({schema}.pri_of(c.priority))
      INTO ids, execs, opens_run, kinds, l_status, l_run, l_tenant, l_pri
      FROM (SELECT o.id, o.exec, o.kind, e.status, e.run, e.user_id, e.priority
              FROM (SELECT id, exec, kind FROM {schema}.commands ORDER BY id FOR UPDATE SKIP LOCKED) o
              LEFT JOIN LATERAL (
                   SELECT seq, status, run, user_id, priority
                     FROM {schema}.workflow_executions
                    WHERE seq = o.exec
                      FOR NO KEY UPDATE SKIP LOCKED) e ON true
             WHERE e.seq IS NOT NULL
                OR (SELECT x.seq FROM {schema}.workflow_executions x WHERE x.seq = o.exec) IS NULL
             LIMIT p_limit) c;
    IF ids IS NULL THEN
        RETURN 0;
    END IF;

    -- Finished or deleted: nothing waits any more.
    DELETE FROM {schema}.parked p
     USING unnest(execs, l_status) AS x (seq, status)
     WHERE p.exec = ANY (ARRAY[x.seq]) AND (x.status IS NULL OR x.status IN ('completed', 'failed', 'cancelled'));

    UPDATE {schema}.parked p SET paused = x.status = 'paused'
      FROM unnest(execs, l_status) AS x (seq, status)
     WHERE p.exec = ANY (ARRAY[x.seq]) AND p.paused <> (x.status = 'paused');

    -- Resumed, or parked for a run that is over: back into the queue, before new ones.
    WITH woken AS (
        DELETE FROM {schema}.parked p
         USING unnest(execs, l_status, l_run) AS x (seq, status, run)
         WHERE p.exec = ANY (ARRAY[x.seq]) AND x.status IN ('pending', 'running', 'waiting') AND (p.why = 'paused' OR p.run <> x.run)
        RETURNING p.exec, p.tenant, p.epoch, p.pri, p.rescues, p.run, p.definition_hash)
    INSERT INTO {schema}.ready (exec, tenant, epoch, class, pri, rescues, run, definition_hash)
    SELECT exec, tenant, epoch, 0, pri, rescues, run, definition_hash FROM woken ORDER BY exec;

    -- Children: of a parent that was cancelled, has ended or is gone (asked again here, since commands are hints), or that does not wait for
    -- them any more. The change is one as people make it: the trigger sees to the rest, and to the children's own children.
    IF 'orphan' = ANY (kinds) OR 'abandon' = ANY (kinds) THEN
        UPDATE {schema}.workflow_executions e
           SET status = 'cancelled', error = 'cancelled with its parent',
               error_details = jsonb_build_object('code', 'cancelled', 'reason', 'parent_ended')
          FROM unnest(execs, kinds, l_status) AS x (seq, kind, status)
         WHERE e.seq = ANY (ARRAY[x.seq]) AND x.status NOT IN ('completed', 'failed', 'cancelled')
           AND (x.kind = 'abandon'
                OR (x.kind = 'orphan'
                    AND NOT EXISTS (SELECT FROM {schema}.workflow_executions p
                                     WHERE p.id = e.parent_id AND p.run = e.parent_run
                                       AND p.status NOT IN ('completed', 'failed', 'cancelled'))));
    END IF;

    -- Resumed where it waits: it waits again, and says so.
    IF 'resume' = ANY (kinds) THEN
        UPDATE {schema}.workflow_executions e SET status = 'waiting', rev = e.rev + 1
          FROM unnest(execs, kinds, l_status, l_run) AS x (seq, kind, status, run)
          JOIN {schema}.parked p ON p.exec = ANY (ARRAY[x.seq]) AND p.run = x.run AND NOT p.paused AND p.why IN ('wait', 'retry')
         WHERE e.seq = ANY (ARRAY[x.seq]) AND x.kind = 'resume' AND x.status IN ('pending', 'running');
    END IF;

    IF opens_run THEN
        INSERT INTO {schema}.ready (exec, tenant, class, pri)
        SELECT DISTINCT x.seq, x.tenant, 0, x.pri
          FROM unnest(execs, l_status, l_tenant, l_pri) AS x (seq, status, tenant, pri)
         WHERE x.status IN ('pending', 'running', 'waiting')
           AND (SELECT h.exec FROM {schema}.held h WHERE h.exec = x.seq) IS NULL
           AND (SELECT p.exec FROM {schema}.parked p WHERE p.exec = x.seq) IS NULL
           AND (SELECT r.exec FROM {schema}.ready r WHERE r.exec = x.seq LIMIT 1) IS NULL
         ORDER BY x.seq;

        -- Paused again before its new run had a place.
        INSERT INTO {schema}.parked (exec, epoch, run, tenant, pri, rescues, paused, why)
        SELECT DISTINCT x.seq, 0, x.run, x.tenant, x.pri, 0::smallint, true, 'paused'
          FROM unnest(execs, l_status, l_run, l_tenant, l_pri) AS x (seq, status, run, tenant, pri)
         WHERE x.status = 'paused'
           AND (SELECT h.exec FROM {schema}.held h WHERE h.exec = x.seq) IS NULL
           AND (SELECT p.exec FROM {schema}.parked p WHERE p.exec = x.seq) IS NULL
           AND (SELECT r.exec FROM {schema}.ready r WHERE r.exec = x.seq LIMIT 1) IS NULL;
    END IF;

    DELETE FROM {schema}.commands c WHERE c.id = ANY (ids);
    PERFORM {schema}.nudge();
    RETURN cardinality(ids);
END $$;

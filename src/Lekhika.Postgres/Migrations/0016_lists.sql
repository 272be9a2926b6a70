-- Lists of failed and cancelled executions go by this, newest first. outcomes is append-only, so it costs nothing but its own insert.
CREATE INDEX outcomes_by_status ON {schema}.outcomes (status, seq);

-- Gives a place to executions that are not finished and have none: after a restore, or replication that bypassed the triggers. Looks at the
-- p_limit executions after p_after and returns how many it placed, and the last number looked at (null at the end).
--
-- Everything that moves an execution does so in one transaction, so a snapshot shows exactly one place of each. What has none by one snapshot is
-- locked and looked at again: a new run gets its place from obey, under the same lock. A row locked by somebody is left to the next pass.
CREATE FUNCTION {schema}.reconcile(p_after bigint, p_limit int, OUT placed int, OUT last bigint)
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
    lost bigint[];
BEGIN
    placed := 0;
    SELECT max(r.seq), array_agg(r.seq) FILTER (
               WHERE r.status NOT IN ('completed', 'failed', 'cancelled')
                 AND (SELECT p.exec FROM {schema}.ready p WHERE p.exec = r.seq LIMIT 1) IS NULL
                 AND (SELECT p.exec FROM {schema}.held p WHERE p.exec = r.seq) IS NULL
                 AND (SELECT p.exec FROM {schema}.parked p WHERE p.exec = r.seq) IS NULL)
      INTO last, lost
      FROM (SELECT e.seq, e.status FROM {schema}.workflow_executions e WHERE e.seq > p_after ORDER BY e.seq LIMIT p_limit) r;
    IF lost IS NULL THEN
        RETURN;
    END IF;

    SELECT array_agg(l.seq) INTO lost
      FROM (SELECT e.seq FROM unnest(lost) AS x (seq)
              JOIN {schema}.workflow_executions e ON e.seq = ANY (ARRAY[x.seq])
             ORDER BY e.seq
               FOR NO KEY UPDATE OF e SKIP LOCKED) l;

    WITH found AS (
        SELECT e.seq, e.status, e.run, e.run_at, {schema}.tenant_of(e.user_id) AS tenant, {schema}.pri_of(e.priority) AS pri,
               CASE WHEN e.definition IS NULL THEN e.definition_hash END AS hash
          FROM unnest(lost) AS x (seq)
          JOIN {schema}.workflow_executions e ON e.seq = ANY (ARRAY[x.seq])
         WHERE e.status NOT IN ('completed', 'failed', 'cancelled')
           AND (SELECT p.exec FROM {schema}.ready p WHERE p.exec = e.seq LIMIT 1) IS NULL
           AND (SELECT p.exec FROM {schema}.held p WHERE p.exec = e.seq) IS NULL
           AND (SELECT p.exec FROM {schema}.parked p WHERE p.exec = e.seq) IS NULL
           AND (SELECT c.exec FROM {schema}.commands c WHERE c.exec = e.seq LIMIT 1) IS NULL),
    later AS (
        INSERT INTO {schema}.parked (exec, epoch, run, tenant, pri, rescues, paused, definition_hash, due_at, why)
        SELECT f.seq, 0, f.run, f.tenant, f.pri, 0, f.status = 'paused', f.hash,
               CASE WHEN f.run_at > now() THEN f.run_at END, CASE WHEN f.run_at > now() THEN 'run_at' ELSE 'paused' END
          FROM found f
         WHERE f.status = 'paused' OR (f.status = 'pending' AND COALESCE(f.run_at > now(), false))
        RETURNING 1),
    at_once AS (
        -- One that waited is claimed, finds in its steps what it waits for, and parks again.
        INSERT INTO {schema}.ready (exec, tenant, class, pri, run, definition_hash)
        SELECT f.seq, f.tenant, CASE WHEN f.status = 'pending' THEN 1 ELSE 0 END, f.pri, f.run, f.hash
          FROM found f
         WHERE NOT (f.status = 'paused' OR (f.status = 'pending' AND COALESCE(f.run_at > now(), false)))
         ORDER BY f.seq
        RETURNING 1)
    SELECT (SELECT count(*) FROM later) + (SELECT count(*) FROM at_once) INTO placed;
    IF placed > 0 THEN
        PERFORM {schema}.nudge();
    END IF;
END $$;

-- Incarnations, claims, wake-ups and rescues: everything that moves an execution from one place to another without an outcome.

-- One life of one process begins. Returns its number.
CREATE FUNCTION {schema}.enlist(p_worker_id text, p_host text, p_url text, p_version text, p_slots int, p_lease interval)
    RETURNS bigint
    LANGUAGE sql SET search_path = pg_catalog
AS $$
    INSERT INTO {schema}.workers (inc, worker_id, host, url, version, slots, expires_at)
    VALUES (nextval('{schema}.incarnations'::regclass), p_worker_id, p_host, p_url, p_version, p_slots, clock_timestamp() + p_lease)
    RETURNING inc
$$;

-- The heartbeat: false means revoked, for good.
CREATE FUNCTION {schema}.beat(p_inc bigint, p_lease interval, p_idle boolean) RETURNS boolean
    LANGUAGE sql SET search_path = pg_catalog
AS $$
    WITH beaten AS (
        UPDATE {schema}.workers
           SET heartbeat_at = clock_timestamp(), expires_at = clock_timestamp() + p_lease, idle = p_idle
         WHERE inc = p_inc AND NOT revoked
        RETURNING true)
    SELECT EXISTS (SELECT FROM beaten)
$$;

-- Takes up to p_limit places. Without lists it takes them in the order of the index; with lists it takes p_take of each list above that
-- list's watermark. The watermark keeps a claim cheap while an old snapshot holds back vacuum: it starts behind the rows that are already
-- deleted instead of walking over them again. Rows that commit late end up below it, so every few seconds a claim comes without.
--
-- The claimer's own row is locked FOR SHARE, which a revocation (an UPDATE) conflicts with: a revoked incarnation never claims, even if
-- it does not know yet. Plans are pinned because the statistics of a queue table are always wrong, and elements are looked up as in flush.
CREATE FUNCTION {schema}.claim(
    p_inc bigint, p_limit int,
    p_class smallint[], p_pri smallint[], p_tenant int[], p_mark bigint[], p_take int[])
    RETURNS TABLE (
        place bigint, class smallint, pri smallint, tenant int,
        exec bigint, epoch int, run int, rescues smallint, id uuid, status text,
        workflow_id uuid, workflow_active boolean, definition_hash uuid, definition jsonb, inputs jsonb,
        user_id text, priority int, created_at timestamptz, started_at timestamptz, timeout_at timestamptz, request jsonb)
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    SET enable_seqscan = off
    SET enable_bitmapscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET enable_sort = off
    SET jit = off
    SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    g_ctid tid[];
    g_seq bigint[];
    g_class smallint[];
    g_pri smallint[];
    g_tenant int[];
    g_exec bigint[];
    g_epoch int[];
    g_rescues smallint[];
    g_run int[];
    g_hash uuid[];
BEGIN
    PERFORM FROM {schema}.workers w WHERE w.inc = p_inc AND NOT w.revoked FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'incarnation % is revoked', p_inc USING ERRCODE = 'LK001';
    END IF;

    -- Places are never updated, so what is read under the lock holds for the rest of the claim.
    IF p_class IS NULL THEN
        SELECT array_agg(p.ctid), array_agg(p.seq), array_agg(p.class), array_agg(p.pri), array_agg(p.tenant), array_agg(p.exec),
               array_agg(p.epoch), array_agg(p.rescues), array_agg(p.run), array_agg(p.definition_hash)
          INTO g_ctid, g_seq, g_class, g_pri, g_tenant, g_exec, g_epoch, g_rescues, g_run, g_hash
          FROM (SELECT r.ctid, r.* FROM {schema}.ready r ORDER BY r.class, r.pri, r.tenant, r.seq LIMIT p_limit FOR UPDATE SKIP LOCKED) p;
    ELSE
        SELECT array_agg(p.ctid), array_agg(p.seq), array_agg(p.class), array_agg(p.pri), array_agg(p.tenant), array_agg(p.exec),
               array_agg(p.epoch), array_agg(p.rescues), array_agg(p.run), array_agg(p.definition_hash)
          INTO g_ctid, g_seq, g_class, g_pri, g_tenant, g_exec, g_epoch, g_rescues, g_run, g_hash
          FROM (SELECT t.*
                  FROM unnest(p_class, p_pri, p_tenant, p_mark, p_take) AS l (class, pri, tenant, mark, take)
                 CROSS JOIN LATERAL (
                       SELECT r.ctid, r.*
                         FROM {schema}.ready r
                        WHERE r.class = l.class AND r.pri = l.pri AND r.tenant = l.tenant AND r.seq > l.mark
                        ORDER BY r.seq
                        LIMIT l.take
                          FOR UPDATE SKIP LOCKED) t
                 LIMIT p_limit) p;
    END IF;
    IF g_ctid IS NULL THEN
        RETURN;
    END IF;

    -- Everything is looked up once, by one walk along the arrays with one look into an index per row and table; joining what a DELETE or INSERT
    -- returns is a nested loop over all pairs, because nothing is known of its size. An execution that is held already has a place too many: this
    -- one is dropped. If two claims meet at such a pair in the same moment the second fails by its key, takes nothing, and sees it when it tries again.
    DELETE FROM {schema}.ready r WHERE r.ctid = ANY (g_ctid);

    RETURN QUERY
    WITH taken AS MATERIALIZED (
        SELECT g.place, g.class, g.pri, g.tenant, g.epoch + 1 AS epoch, CASE WHEN g.run = e.run THEN g.rescues ELSE 0::smallint END AS rescues,
               COALESCE(CASE WHEN g.run = e.run THEN g.hash END,
                        CASE WHEN e.run > 1 THEN (SELECT x.definition_hash FROM {schema}.execution_runs x WHERE x.seq = e.seq AND x.run = e.run) END,
                        CASE WHEN e.definition IS NULL THEN w.definition_hash END) AS hash,
               e.seq, e.run, e.id, e.status, e.workflow_id, w.is_active, e.definition, e.inputs, e.user_id, e.priority, e.created_at, e.started_at,
               e.timeout_at, e.request
          FROM unnest(g_seq, g_class, g_pri, g_tenant, g_exec, g_epoch, g_rescues, g_run, g_hash)
               AS g (place, class, pri, tenant, exec, epoch, rescues, run, hash)
         CROSS JOIN LATERAL (SELECT e.* FROM {schema}.workflow_executions e WHERE e.seq = g.exec OFFSET 0) e
          LEFT JOIN LATERAL (SELECT w.is_active, w.definition_hash FROM {schema}.workflows w WHERE w.id = e.workflow_id OFFSET 0) w ON true
         WHERE (SELECT h.exec FROM {schema}.held h WHERE h.exec = g.exec) IS NULL),
    kept AS (
        INSERT INTO {schema}.held (exec, inc, epoch, run, tenant, pri, rescues, definition_hash)
        SELECT t.seq, p_inc, t.epoch, t.run, t.tenant, t.pri, t.rescues, t.hash FROM taken t)
    SELECT t.place, t.class, t.pri, t.tenant, t.seq, t.epoch, t.run, t.rescues, t.id, t.status, t.workflow_id, t.is_active, t.hash, t.definition, t.inputs,
           t.user_id, t.priority, t.created_at, t.started_at, t.timeout_at, t.request
      FROM taken t;
END $$;

-- What an incarnation holds, for the sweep that adopts claims whose reply was lost.
CREATE FUNCTION {schema}.holdings(p_inc bigint, p_except bigint[])
    RETURNS TABLE (
        place bigint, class smallint, pri smallint, tenant int,
        exec bigint, epoch int, run int, rescues smallint, id uuid, status text,
        workflow_id uuid, workflow_active boolean, definition_hash uuid, definition jsonb, inputs jsonb,
        user_id text, priority int, created_at timestamptz, started_at timestamptz, timeout_at timestamptz, request jsonb)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET jit = off
AS $$
    SELECT 0::bigint, 0::smallint, h.pri, h.tenant, h.exec, h.epoch, h.run, h.rescues, e.id, e.status,
           e.workflow_id, w.is_active, h.definition_hash, e.definition, e.inputs,
           e.user_id, e.priority, e.created_at, e.started_at, e.timeout_at, e.request
      FROM {schema}.held h
      JOIN {schema}.workflow_executions e ON e.seq = h.exec
      LEFT JOIN {schema}.workflows w ON w.id = e.workflow_id
     WHERE h.inc = p_inc AND h.exec <> ALL (p_except)
$$;

-- The lists that are not empty: a skip scan over the order of ready, with the age, in seconds, of the execution that is first in each. A list that is cut off
-- by the limit is reached by beginning after the last one seen.
CREATE FUNCTION {schema}.lists(p_limit int, p_class smallint, p_pri smallint, p_tenant int)
    RETURNS TABLE (class smallint, pri smallint, tenant int, head bigint, waited float8)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog
    SET enable_seqscan = off
    SET enable_bitmapscan = off
    SET enable_sort = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET jit = off
AS $$
    WITH RECURSIVE list AS (
        (SELECT r.class, r.pri, r.tenant, r.seq, r.exec
           FROM {schema}.ready r
          WHERE (r.class, r.pri, r.tenant, r.seq) > (p_class, p_pri, p_tenant, 9223372036854775807)
          ORDER BY r.class, r.pri, r.tenant, r.seq LIMIT 1)
        UNION ALL
        SELECT n.class, n.pri, n.tenant, n.seq, n.exec
          FROM list l
         CROSS JOIN LATERAL (
               SELECT r.class, r.pri, r.tenant, r.seq, r.exec
                 FROM {schema}.ready r
                WHERE (r.class, r.pri, r.tenant, r.seq) > (l.class, l.pri, l.tenant, 9223372036854775807)
                ORDER BY r.class, r.pri, r.tenant, r.seq
                LIMIT 1) n)
    SELECT l.class, l.pri, l.tenant, l.seq,
           CASE WHEN isfinite(e.created_at) THEN extract(epoch FROM clock_timestamp() - e.created_at)::float8 ELSE 0 END
      FROM (SELECT * FROM list LIMIT p_limit) l
      LEFT JOIN {schema}.workflow_executions e ON e.seq = l.exec
$$;

-- Moves parked executions that are due into ready. Returns how many, and when the next one is due.
CREATE FUNCTION {schema}.wake_due(p_limit int, OUT moved int, OUT next_in interval)
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
    l_now timestamptz := clock_timestamp();   -- a value: a call would be compared with every row that waits
BEGIN
    WITH due AS (
        SELECT p.exec FROM {schema}.parked p
         WHERE p.due_at <= l_now AND NOT p.paused
         ORDER BY p.due_at LIMIT p_limit
           FOR UPDATE SKIP LOCKED),
    gone AS (
        DELETE FROM {schema}.parked p USING due d WHERE p.exec = ANY (ARRAY[d.exec])
        RETURNING p.exec, p.tenant, p.epoch, p.pri, p.rescues, p.run, p.definition_hash),
    back AS (
        INSERT INTO {schema}.ready (exec, tenant, epoch, class, pri, rescues, run, definition_hash)
        SELECT exec, tenant, epoch, 0, pri, rescues, run, definition_hash FROM gone ORDER BY exec
        RETURNING 1)
    SELECT count(*) INTO moved FROM back;
    IF moved > 0 THEN
        PERFORM {schema}.nudge();
    END IF;
    SELECT p.due_at - clock_timestamp() INTO next_in FROM {schema}.parked p WHERE p.due_at IS NOT NULL AND NOT p.paused ORDER BY p.due_at LIMIT 1;
END $$;

-- Takes everything away from the given incarnations: they are revoked first, so that none of their writes can follow.
CREATE FUNCTION {schema}.evict(p_incs bigint[]) RETURNS int
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
    execs bigint[];
    moved int;
BEGIN
    UPDATE {schema}.workers SET revoked = true, idle = false WHERE inc = ANY (p_incs) AND NOT revoked;

    -- Held rows in the order everybody locks them in.
    SELECT array_agg(h.exec) INTO execs
      FROM (SELECT exec FROM {schema}.held WHERE inc = ANY (p_incs) ORDER BY exec FOR UPDATE SKIP LOCKED) h;
    WITH gone AS (
        DELETE FROM {schema}.held h USING unnest(execs) AS x (exec) WHERE h.exec = ANY (ARRAY[x.exec]) AND h.inc = ANY (p_incs)
        RETURNING h.exec, h.tenant, h.epoch, h.pri, h.rescues, h.run, h.definition_hash),
    back AS (
        INSERT INTO {schema}.ready (exec, tenant, epoch, class, pri, rescues, run, definition_hash)
        SELECT exec, tenant, epoch, 0, pri, rescues + 1, run, definition_hash FROM gone ORDER BY exec
        RETURNING 1)
    SELECT count(*) INTO moved FROM back;
    IF moved > 0 THEN
        PERFORM {schema}.nudge();
    END IF;
    RETURN moved;
END $$;

-- Rescues what dead incarnations hold: the expired ones, and the revoked ones that still hold something (a row skipped as locked).
-- To be called only by a worker whose own heartbeat has been unbroken for a whole lease.
CREATE FUNCTION {schema}.rescue(p_inc bigint) RETURNS int
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
DECLARE
    dead bigint[];
BEGIN
    SELECT array_agg(w.inc) INTO dead
      FROM (SELECT inc FROM {schema}.workers
             WHERE inc <> p_inc
               AND ((NOT revoked AND expires_at < clock_timestamp())
                    OR (revoked AND inc = ANY (ARRAY(SELECT DISTINCT h.inc FROM {schema}.held h))))
             ORDER BY inc
               FOR UPDATE SKIP LOCKED) w;
    IF dead IS NULL THEN
        RETURN 0;
    END IF;
    RETURN {schema}.evict(dead);
END $$;

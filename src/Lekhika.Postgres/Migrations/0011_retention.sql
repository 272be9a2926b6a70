-- Retention: finished executions are removed by age and status, a few hundred at a time, by whichever daemon comes first. There is no index on status or
-- finished_at (it would cost every execution), so rows are walked in the order of seq; the walk ends where everything is too young, and begins anew.
--
--   executions ──► tombstones (id and idempotency key, 30 days)
--        └─ trigger ──► removed (the inner number) ──► steps, runs, outcomes, events, a bounded number of rows at a time
--
-- removed is written for every DELETE, so what people delete by hand leaves no steps behind either.

-- What ran and was removed: a repeated submission is not run again while this is here.
CREATE TABLE {schema}.tombstones (
    id              uuid PRIMARY KEY,
    idempotency_key text,
    request_hash    uuid,
    seq             bigint NOT NULL,
    run             int NOT NULL,
    status          text NOT NULL,
    created_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    removed_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX tombstones_idempotency_key ON {schema}.tombstones (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX tombstones_removed_at ON {schema}.tombstones (removed_at);

CREATE TABLE {schema}.removed (
    exec         bigint PRIMARY KEY,
    execution_id uuid NOT NULL
);
COMMENT ON TABLE {schema}.removed IS 'Deleted executions whose steps and other rows are still to be deleted.';

CREATE INDEX outcomes_seq ON {schema}.outcomes (seq);

-- Where the walk is; locked by whoever takes the next batch, written at most a few times a second.
CREATE TABLE {schema}.retention_walk (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    cursor   bigint NOT NULL DEFAULT 0,
    next_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    swept_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO {schema}.retention_walk DEFAULT VALUES;

CREATE FUNCTION {schema}.on_removed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    INSERT INTO {schema}.removed (exec, execution_id) SELECT g.seq, g.id FROM gone g ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER lekhika_removed AFTER DELETE ON {schema}.workflow_executions
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION {schema}.on_removed();

-- Inserted again after it was removed: the new row says so and is never run. It is not refused by an error, because one of them would spoil an
-- INSERT of thousands. The claim finds it ended.
CREATE FUNCTION {schema}.mark_repeated(p_execs bigint[]) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog
AS $$
    UPDATE {schema}.workflow_executions e
       SET status = 'cancelled', rev = e.rev + 1, finished_at = clock_timestamp(),
           error = format('Ran already: %s at %s, and was removed by retention since. It is not run again; use another id and idempotency key.',
                          t.status, t.finished_at),
           error_details = jsonb_build_object('code', 'already_ran', 'status', t.status, 'execution_id', t.id, 'finished_at', t.finished_at)
      FROM {schema}.tombstones t
     WHERE e.seq = ANY (p_execs) AND (t.id = e.id OR t.idempotency_key = e.idempotency_key)
$$;

-- One batch of the walk. Null ages keep for ever.
CREATE FUNCTION {schema}.retain(
    p_completed interval, p_failed interval, p_cancelled interval, p_walk int, OUT walked int, OUT deleted int, OUT next_in interval)
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
    began timestamptz := clock_timestamp();
    horizon timestamptz;
    w {schema}.retention_walk;
    seqs bigint[];
    last_seq bigint;
    oldest timestamptz;
BEGIN
    walked := 0;
    deleted := 0;
    horizon := began - LEAST(p_completed, p_failed, p_cancelled);
    SELECT * INTO w FROM {schema}.retention_walk FOR UPDATE SKIP LOCKED;
    IF NOT FOUND OR horizon IS NULL THEN
        next_in := interval '1 minute';
        RETURN;
    END IF;
    IF w.next_at > began THEN
        next_in := w.next_at - began;
        RETURN;
    END IF;

    SELECT count(*), max(b.seq), min(b.created_at),
           array_agg(b.seq ORDER BY b.seq) FILTER (
               WHERE b.status IN ('completed', 'failed', 'cancelled')
                 AND b.finished_at < began - CASE b.status WHEN 'completed' THEN p_completed WHEN 'failed' THEN p_failed ELSE p_cancelled END)
      INTO walked, last_seq, oldest, seqs
      FROM (SELECT e.seq, e.status, e.created_at, e.finished_at
              FROM {schema}.workflow_executions e WHERE e.seq > w.cursor ORDER BY e.seq LIMIT p_walk) b;

    IF seqs IS NOT NULL THEN
        -- What has become something else meanwhile is passed over, and so is a child whose parent may still want to know.
        WITH doomed AS (
            SELECT e.seq, e.id, e.idempotency_key, e.request_hash, e.run, e.status, e.created_at, e.finished_at
              FROM unnest(seqs) AS x (seq)
             CROSS JOIN LATERAL (
                   SELECT * FROM {schema}.workflow_executions y
                    WHERE y.seq = x.seq AND y.status IN ('completed', 'failed', 'cancelled')
                      AND y.finished_at < began - CASE y.status WHEN 'completed' THEN p_completed WHEN 'failed' THEN p_failed ELSE p_cancelled END
                      AND NOT EXISTS (SELECT FROM {schema}.workflow_executions p
                                       WHERE p.id = y.parent_id AND p.status NOT IN ('completed', 'failed', 'cancelled'))
                      FOR UPDATE SKIP LOCKED) e),
        marked AS (
            INSERT INTO {schema}.tombstones (id, idempotency_key, request_hash, seq, run, status, created_at, finished_at)
            SELECT d.id, d.idempotency_key, d.request_hash, d.seq, d.run, d.status, d.created_at, d.finished_at FROM doomed d
                ON CONFLICT DO NOTHING)
        DELETE FROM {schema}.workflow_executions e USING doomed d WHERE e.seq = d.seq;
        GET DIAGNOSTICS deleted = ROW_COUNT;
    END IF;

    IF walked < p_walk OR oldest >= horizon THEN
        -- A pass is over. What wears out by the day is looked after here.
        DELETE FROM {schema}.tombstones t
         WHERE t.id = ANY (ARRAY(SELECT o.id FROM {schema}.tombstones o WHERE o.removed_at < began - interval '30 days' ORDER BY o.removed_at LIMIT p_walk * 10));
        DELETE FROM {schema}.workers k
         WHERE k.revoked AND k.expires_at < began - interval '1 hour' AND NOT EXISTS (SELECT FROM {schema}.held h WHERE h.inc = k.inc);
        w.cursor := 0;
        -- A tenth of the shortest age is soon enough.
        next_in := LEAST(interval '10 minutes', GREATEST(interval '1 second', LEAST(p_completed, p_failed, p_cancelled) / 10));
    ELSE
        w.cursor := last_seq;
        -- Four times as long at rest as at work, so that others hardly notice.
        next_in := GREATEST(interval '100 milliseconds', 4 * (clock_timestamp() - began));
    END IF;
    UPDATE {schema}.retention_walk SET cursor = w.cursor, next_at = clock_timestamp() + next_in;
END $$;

-- Deletes what deleted executions have left, at most about p_limit rows. Returns how many rows; less than p_limit means that nothing is left.
CREATE FUNCTION {schema}.clear_removed(p_limit int) RETURNS int
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
    ids uuid[];
    steps int;
    others int;
BEGIN
    SELECT array_agg(r.exec), array_agg(r.execution_id) INTO execs, ids
      FROM (SELECT exec, execution_id FROM {schema}.removed ORDER BY exec LIMIT p_limit FOR UPDATE SKIP LOCKED) r;
    IF execs IS NULL THEN
        RETURN 0;
    END IF;
    DELETE FROM {schema}.workflow_execution_steps s
     WHERE s.ctid = ANY (ARRAY(
           SELECT t.ctid FROM unnest(execs) AS x (exec)
            CROSS JOIN LATERAL (SELECT o.ctid FROM {schema}.workflow_execution_steps o WHERE o.seq = x.exec LIMIT p_limit) t
            LIMIT p_limit));
    GET DIAGNOSTICS steps = ROW_COUNT;
    IF steps = p_limit THEN
        RETURN steps;
    END IF;
    DELETE FROM {schema}.execution_runs r WHERE r.seq = ANY (execs);
    DELETE FROM {schema}.outcomes o WHERE o.seq = ANY (execs);
    DELETE FROM {schema}.events e WHERE e.exec = ANY (execs);
    DELETE FROM {schema}.workflow_signals g WHERE g.execution_id = ANY (ids);
    DELETE FROM {schema}.removed r WHERE r.exec = ANY (execs);
    GET DIAGNOSTICS others = ROW_COUNT;
    RETURN steps + others;
END $$;

-- Once a day: definitions that no workflow, no execution and no run names any more. Reads executions only if there is one that might go.
CREATE FUNCTION {schema}.sweep_definitions() RETURNS int
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
DECLARE
    candidates uuid[];
    gone int;
BEGIN
    PERFORM FROM {schema}.retention_walk w WHERE w.swept_at < clock_timestamp() - interval '1 day' FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    UPDATE {schema}.retention_walk SET swept_at = clock_timestamp();
    -- Locked first and looked at again in the next statement: who names one of them meanwhile waits, and finds it gone or is seen.
    SELECT array_agg(c.hash) INTO candidates
      FROM (SELECT d.hash
              FROM {schema}.definitions d
             WHERE d.created_at < clock_timestamp() - interval '1 day'
               AND NOT EXISTS (SELECT FROM {schema}.workflows w WHERE w.definition_hash = d.hash)
               FOR UPDATE OF d SKIP LOCKED) c;
    IF candidates IS NULL THEN
        RETURN 0;
    END IF;
    DELETE FROM {schema}.definitions d
     WHERE d.hash = ANY (candidates)
       AND NOT EXISTS (SELECT FROM {schema}.workflows w WHERE w.definition_hash = d.hash)
       AND NOT EXISTS (SELECT FROM {schema}.execution_runs r WHERE r.definition_hash = d.hash)
       AND NOT EXISTS (SELECT FROM {schema}.ready q WHERE q.definition_hash = d.hash)
       AND NOT EXISTS (SELECT FROM {schema}.held h WHERE h.definition_hash = d.hash)
       AND NOT EXISTS (SELECT FROM {schema}.parked p WHERE p.definition_hash = d.hash)
       AND NOT EXISTS (SELECT FROM {schema}.workflow_executions e WHERE e.definition_hash = d.hash);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;

-- POST /execute: inserts the execution, already claimed by the daemon that answers when it has a slot free, and tells a repetition from
-- a different request under the same id. The claimed insert obeys the rules of every claim: the claimer's own row is locked, and a lost
-- reply is found by the sweep over held.
CREATE FUNCTION {schema}.submit(
    p_inc bigint, p_claim boolean,
    p_id uuid, p_workflow_id uuid, p_definition jsonb, p_inputs jsonb, p_user_id text, p_priority int,
    p_run_at timestamptz, p_timeout_at timestamptz, p_idempotency_key text, p_request jsonb, p_request_hash uuid,
    OUT created boolean, OUT claimed boolean, OUT id uuid, OUT exec bigint, OUT status text, OUT run int, OUT request_hash uuid,
    OUT created_at timestamptz, OUT definition_hash uuid, OUT workflow_active boolean)
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
#variable_conflict use_column
BEGIN
    IF p_definition IS NULL AND NOT EXISTS (SELECT FROM {schema}.workflows w WHERE w.id = p_workflow_id)
       AND NOT EXISTS (SELECT FROM {schema}.workflow_executions e WHERE e.id = p_id) THEN
        RAISE EXCEPTION 'there is no workflow %', p_workflow_id USING ERRCODE = 'foreign_key_violation';
    END IF;

    -- Ran, and was removed by retention since.
    SELECT false, false, t.id, t.seq, t.status, t.run, t.request_hash, t.created_at
      INTO created, claimed, id, exec, status, run, request_hash, created_at
      FROM {schema}.tombstones t
     WHERE t.id = p_id OR (p_idempotency_key IS NOT NULL AND t.idempotency_key = p_idempotency_key)
     ORDER BY t.id = p_id DESC
     LIMIT 1;
    IF FOUND THEN
        RETURN;
    END IF;

    -- Whoever has a limit goes through the queue, where it is counted.
    claimed := p_claim AND (p_run_at IS NULL OR p_run_at <= now())
        AND NOT EXISTS (SELECT FROM {schema}.limits l WHERE l.gate IN ({schema}.gate_of('user', p_user_id), {schema}.gate_of('workflow', p_workflow_id::text)));
    IF claimed THEN
        PERFORM FROM {schema}.workers w WHERE w.inc = p_inc AND NOT w.revoked FOR SHARE;
        claimed := FOUND;
    END IF;

    INSERT INTO {schema}.workflow_executions AS e
           (id, workflow_id, definition, inputs, user_id, priority, run_at, timeout_at, idempotency_key, request, request_hash, rev)
    VALUES (p_id, p_workflow_id, p_definition, p_inputs, p_user_id, p_priority, p_run_at, p_timeout_at, p_idempotency_key,
            p_request, p_request_hash, CASE WHEN claimed THEN 1 ELSE 0 END)
        ON CONFLICT DO NOTHING
    RETURNING true, e.id, e.seq, e.status, e.run, e.request_hash, e.created_at
         INTO created, id, exec, status, run, request_hash, created_at;

    IF created IS NULL THEN
        created := false;
        claimed := false;
        SELECT e.id, e.seq, e.status, e.run, e.request_hash, e.created_at INTO id, exec, status, run, request_hash, created_at
          FROM {schema}.workflow_executions e
         WHERE e.id = p_id OR (p_idempotency_key IS NOT NULL AND e.idempotency_key = p_idempotency_key)
         ORDER BY e.id = p_id DESC
         LIMIT 1;
    ELSIF claimed THEN
        IF p_definition IS NULL THEN
            SELECT w.definition_hash, w.is_active INTO definition_hash, workflow_active FROM {schema}.workflows w WHERE w.id = p_workflow_id;
        END IF;
        INSERT INTO {schema}.held AS h (exec, inc, epoch, run, tenant, pri, rescues, definition_hash)
        VALUES (exec, p_inc, 1, run, {schema}.tenant_of(p_user_id), {schema}.pri_of(p_priority), 0, definition_hash);
    END IF;
END $$;

-- Many requests at once: one statement and one commit for all that came while the one before was under way. What is plain is inserted in one statement, so
-- that the triggers run once; whatever is not (there already, ran and removed since, twice in one batch, no such workflow) goes through submit by itself.
-- The caller sorts by id, so that two batches that name the same do not wait for each other in a ring. Nobody is to wait long for somebody else's transaction
-- that has inserted the same id: then the whole fails with lock_not_available, and each is sent by itself.
CREATE FUNCTION {schema}.submit_many(
    p_inc bigint[], p_claim boolean[],
    p_id uuid[], p_workflow_id uuid[], p_definition jsonb[], p_inputs jsonb[], p_user_id text[], p_priority int[],
    p_run_at timestamptz[], p_timeout_at timestamptz[], p_idempotency_key text[], p_request jsonb[], p_request_hash uuid[])
    RETURNS TABLE (
        place bigint, created boolean, claimed boolean, id uuid, exec bigint, status text, run int, request_hash uuid,
        created_at timestamptz, definition_hash uuid, workflow_active boolean)
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    SET lock_timeout = '250ms'
AS $$
#variable_conflict use_column
DECLARE
    alive bigint[];
    limited boolean := EXISTS (SELECT FROM {schema}.limits);
    m_place bigint[] := '{}';
    m_claims boolean[];
    m_id uuid[];
    m_seq bigint[];
    m_status text[];
    m_run int[];
    m_created timestamptz[];
    m_hash uuid[];
    m_active boolean[];
BEGIN
    SELECT COALESCE(array_agg(w.inc), '{}') INTO alive
      FROM (SELECT inc FROM {schema}.workers WHERE inc = ANY (p_inc) AND NOT revoked ORDER BY inc FOR SHARE) w;

    WITH asked AS MATERIALIZED (
        SELECT x.*, w.definition_hash, w.is_active,
               x.claim AND x.inc = ANY (alive) AND (x.run_at IS NULL OR x.run_at <= now())
               -- Whoever has a limit goes through the queue, where it is counted.
               AND (NOT limited OR NOT EXISTS (
                   SELECT FROM {schema}.limits l
                    WHERE l.gate IN ({schema}.gate_of('user', x.user_id), {schema}.gate_of('workflow', x.workflow_id::text)))) AS claims
          FROM unnest(p_inc, p_claim, p_id, p_workflow_id, p_definition, p_inputs, p_user_id, p_priority, p_run_at, p_timeout_at, p_idempotency_key,
                      p_request, p_request_hash) WITH ORDINALITY
               AS x (inc, claim, id, workflow_id, definition, inputs, user_id, priority, run_at, timeout_at, idempotency_key, request, request_hash, place)
          LEFT JOIN LATERAL (
               SELECT w.definition_hash, w.is_active FROM {schema}.workflows w WHERE x.definition IS NULL AND w.id = x.workflow_id OFFSET 0) w ON true),
    plain AS MATERIALIZED (
        SELECT DISTINCT ON (a.id) a.*
          FROM asked a
         WHERE (a.definition IS NOT NULL OR a.is_active IS NOT NULL)
           AND NOT EXISTS (SELECT FROM {schema}.tombstones t WHERE t.id = a.id)
           AND (a.idempotency_key IS NULL OR NOT EXISTS (SELECT FROM {schema}.tombstones t WHERE t.idempotency_key = a.idempotency_key))
         ORDER BY a.id, a.place),
    made AS (
        INSERT INTO {schema}.workflow_executions AS e
               (id, workflow_id, definition, inputs, user_id, priority, run_at, timeout_at, idempotency_key, request, request_hash, rev)
        SELECT p.id, p.workflow_id, p.definition, p.inputs, p.user_id, p.priority, p.run_at, p.timeout_at, p.idempotency_key, p.request, p.request_hash,
               CASE WHEN p.claims THEN 1 ELSE 0 END
          FROM plain p
         ORDER BY p.id
            ON CONFLICT DO NOTHING
        RETURNING e.id, e.seq, e.status, e.run, e.created_at),
    owned AS (
        INSERT INTO {schema}.held (exec, inc, epoch, run, tenant, pri, rescues, definition_hash)
        SELECT m.seq, p.inc, 1, m.run, {schema}.tenant_of(p.user_id), {schema}.pri_of(p.priority), 0, p.definition_hash
          FROM made m JOIN plain p ON p.id = m.id
         WHERE p.claims)
    SELECT COALESCE(array_agg(p.place), '{}'), array_agg(p.claims), array_agg(m.id), array_agg(m.seq), array_agg(m.status), array_agg(m.run),
           array_agg(m.created_at), array_agg(p.definition_hash), array_agg(p.is_active)
      INTO m_place, m_claims, m_id, m_seq, m_status, m_run, m_created, m_hash, m_active
      FROM made m JOIN plain p ON p.id = m.id;

    RETURN QUERY
    SELECT m.place, true, m.claims, m.id, m.seq, m.status, m.run, p_request_hash[m.place], m.created,
           CASE WHEN m.claims THEN m.hash END, CASE WHEN m.claims THEN m.active END
      FROM unnest(m_place, m_claims, m_id, m_seq, m_status, m_run, m_created, m_hash, m_active)
           AS m (place, claims, id, seq, status, run, created, hash, active);
    IF cardinality(m_place) = cardinality(p_id) THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT x.place, s.*
      FROM unnest(p_inc, p_claim, p_id, p_workflow_id, p_definition, p_inputs, p_user_id, p_priority, p_run_at, p_timeout_at, p_idempotency_key,
                  p_request, p_request_hash) WITH ORDINALITY
           AS x (inc, claim, id, workflow_id, definition, inputs, user_id, priority, run_at, timeout_at, idempotency_key, request, request_hash, place)
     CROSS JOIN LATERAL {schema}.submit(
           x.inc, x.claim, x.id, x.workflow_id, x.definition, x.inputs, x.user_id, x.priority, x.run_at, x.timeout_at, x.idempotency_key,
           x.request, x.request_hash) AS s
     WHERE x.place <> ALL (m_place);
END $$;

-- Limits: how many executions of a user or a workflow may be held at a time, and how many may start within a period. They hold over all daemons.
--
-- A gate is a number for a limited user or workflow. Whoever claims for one holds an advisory lock on its number until the commit, so that two daemons
-- never count at the same time; one that does not get the lock passes the gate over and comes again. What is counted:
--   permits  one row for each limited execution that was claimed. It counts while the execution is held; a row whose execution is not held any more is
--            removed by the next one who counts. So nothing that ends, parks or rescues an execution knows of limits, or pays for them.
--   starts   one row for each claim that started new executions of a gate with a rate, kept for the period. Appended and deleted, never updated.
--
-- Executions beyond a user's limit stay in ready: their user's lists are not taken from. Those beyond a workflow's limit would stand in the way of others
-- in the same list: they are moved to parked with their gate, and come back, in order, when the gate has room.
--
-- Without limits none of this is called: claim() is as it was.
CREATE FUNCTION {schema}.gate_of(p_kind text, p_key text) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN p_key IS NULL THEN NULL
                  WHEN p_kind = 'user' THEN {schema}.tenant_of(p_key)::bigint
                  ELSE pg_catalog.hashtextextended(pg_catalog.lower(p_key), 7) END $$;

CREATE TABLE {schema}.limits (
    kind        text NOT NULL CHECK (kind IN ('user', 'workflow')),
    key         text NOT NULL CHECK (key <> ''),
    concurrency int CHECK (concurrency >= 0),
    rate        int CHECK (rate >= 0),
    per         interval NOT NULL DEFAULT interval '1 minute' CHECK (per BETWEEN interval '1 second' AND interval '31 days'),
    gate        bigint GENERATED ALWAYS AS ({schema}.gate_of(kind, key)) STORED,
    note        text,
    PRIMARY KEY (kind, key),
    CONSTRAINT limits_key_is_a_workflow CHECK (kind <> 'workflow' OR key::uuid IS NOT NULL)
);
CREATE INDEX limits_gate ON {schema}.limits (gate);
COMMENT ON TABLE {schema}.limits IS 'Limits of single users and workflows; a row replaces what the configuration says for all of them. Null is no limit.';
COMMENT ON COLUMN {schema}.limits.key IS 'user_id, or the id of a workflow.';
COMMENT ON COLUMN {schema}.limits.concurrency IS 'Most executions at work at a time; 0 holds all of them back.';
COMMENT ON COLUMN {schema}.limits.rate IS 'Most executions that start within the time in per.';

CREATE TABLE {schema}.permits (
    gate bigint NOT NULL,
    exec bigint NOT NULL,
    PRIMARY KEY (gate, exec)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);
CREATE TABLE {schema}.starts (
    gate bigint NOT NULL,
    at   timestamptz NOT NULL,
    n    int NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);
CREATE INDEX starts_gate ON {schema}.starts (gate, at);

ALTER TABLE {schema}.parked ADD COLUMN gate bigint;
CREATE INDEX parked_gate ON {schema}.parked (gate, pri, exec) WHERE gate IS NOT NULL;
COMMENT ON COLUMN {schema}.parked.gate IS 'The limited workflow whose room it waits for.';

-- Whether claims must ask at all: some user or workflow has a limit, or something still waits for one.
CREATE FUNCTION {schema}.has_limits() RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog
AS $$ SELECT EXISTS (SELECT FROM {schema}.limits) OR EXISTS (SELECT FROM {schema}.parked WHERE gate IS NOT NULL) $$;

-- How many more may be claimed through a gate, and how many of them may be new: null for any number, 0 as well while somebody else counts.
CREATE FUNCTION {schema}.room_of(
    p_gate bigint, p_concurrency int, p_rate int, p_per interval, OUT room bigint, OUT new_room bigint)
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    SET enable_seqscan = off
    SET enable_bitmapscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET jit = off
AS $$
DECLARE
    l record;
BEGIN
    SELECT x.concurrency, x.rate, x.per INTO l FROM {schema}.limits x WHERE x.gate = p_gate LIMIT 1;
    IF FOUND THEN
        p_concurrency := l.concurrency;
        p_rate := l.rate;
        p_per := l.per;
    END IF;
    IF p_concurrency IS NULL AND p_rate IS NULL THEN
        RETURN;
    END IF;
    IF NOT pg_try_advisory_xact_lock(p_gate) THEN
        room := 0;
        RETURN;
    END IF;

    -- Each in a statement of its own: what was committed under the lock before is seen from here on.
    IF p_concurrency IS NOT NULL THEN
        DELETE FROM {schema}.permits p WHERE p.gate = p_gate AND (SELECT h.exec FROM {schema}.held h WHERE h.exec = p.exec) IS NULL;
        room := GREATEST(p_concurrency - (SELECT count(*) FROM {schema}.permits p WHERE p.gate = p_gate), 0);
    END IF;
    IF p_rate IS NOT NULL THEN
        DELETE FROM {schema}.starts s WHERE s.gate = p_gate AND s.at <= clock_timestamp() - p_per;
        new_room := GREATEST(p_rate - (SELECT COALESCE(sum(s.n), 0) FROM {schema}.starts s WHERE s.gate = p_gate), 0);
    END IF;
END $$;

-- Before a claim, in its transaction: brings back what waited for gates that have room, moves what is beyond a workflow's limit out of the way, and
-- answers with the lists as they may be claimed from. u_ and w_ are what the configuration sets for every user and every workflow; null is no limit.
--   more  places were moved out of the way and the claim may not be full: look again at once
CREATE FUNCTION {schema}.admit(
    p_limit int, INOUT p_class smallint[], INOUT p_pri smallint[], INOUT p_tenant int[], INOUT p_mark bigint[], INOUT p_take int[],
    u_concurrency int, u_rate int, u_per interval, w_concurrency int, w_rate int, w_per interval, OUT more boolean)
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
DECLARE
    user_limits boolean := u_concurrency IS NOT NULL OR u_rate IS NOT NULL OR EXISTS (SELECT FROM {schema}.limits WHERE kind = 'user');
    workflow_limits boolean := w_concurrency IS NOT NULL OR w_rate IS NOT NULL OR EXISTS (SELECT FROM {schema}.limits WHERE kind = 'workflow');
    look int := 500;             -- places moved out of the way in one call
    free bigint := p_limit;
    gates bigint[] := '{}';      -- asked in this call,
    rooms bigint[] := '{}';      -- and what was answered, less what was given away since
    new_rooms bigint[] := '{}';
    g bigint;
    l_from bigint;
    u int;
    w int;
    n bigint;
    kept int;
    moved int;
    r record;
    o record;
    i_class smallint[] := '{}';
    i_pri smallint[] := '{}';
    i_tenant int[] := '{}';
    i_mark bigint[] := '{}';
    i_take int[] := '{}';
    o_class smallint[] := '{}';
    o_pri smallint[] := '{}';
    o_tenant int[] := '{}';
    o_mark bigint[] := '{}';
    o_take int[] := '{}';
BEGIN
    more := false;

    -- 1. Those who wait, gate by gate: a few gates in each call, from a different one on each time.
    l_from := ((random() - 0.5) * 18e18)::bigint;
    SELECT p.gate INTO g FROM {schema}.parked p WHERE p.gate >= l_from ORDER BY p.gate LIMIT 1;
    FOR i IN 1 .. 32 LOOP
        IF g IS NULL THEN
            SELECT p.gate INTO g FROM {schema}.parked p WHERE p.gate IS NOT NULL ORDER BY p.gate LIMIT 1;
        END IF;
        EXIT WHEN g IS NULL OR free <= 0 OR g = ANY (gates);
        SELECT * INTO o FROM {schema}.room_of(g, w_concurrency, w_rate, w_per);
        gates := gates || g;
        rooms := rooms || o.room;
        new_rooms := new_rooms || o.new_room;
        n := LEAST(o.room, o.new_room, free);
        IF n > 0 THEN
            FOR r IN
                WITH first AS (
                    SELECT p.exec FROM {schema}.parked p WHERE p.gate = g AND NOT p.paused ORDER BY p.pri, p.exec LIMIT n FOR UPDATE SKIP LOCKED),
                gone AS (
                    DELETE FROM {schema}.parked p USING first f WHERE p.exec = ANY (ARRAY[f.exec])
                    RETURNING p.exec, p.tenant, p.epoch, p.pri, p.rescues, p.run, p.definition_hash),
                back AS (
                    INSERT INTO {schema}.ready (exec, tenant, epoch, class, pri, rescues, run, definition_hash)
                    SELECT exec, tenant, epoch, 0, pri, rescues, run, definition_hash FROM gone ORDER BY pri, exec
                    RETURNING pri, tenant)
                SELECT b.pri, b.tenant, count(*)::int AS n FROM back b GROUP BY b.pri, b.tenant
            LOOP
                i_class := i_class || 0::smallint;
                i_pri := i_pri || r.pri;
                i_tenant := i_tenant || r.tenant;
                i_mark := i_mark || 0::bigint;
                i_take := i_take || r.n;
                free := free - r.n;
            END LOOP;
        END IF;
        SELECT p.gate INTO g FROM {schema}.parked p WHERE p.gate > g ORDER BY p.gate LIMIT 1;
    END LOOP;

    -- 2. The lists, in the order of the plan, each as far as its user may.
    free := p_limit;
    i_class := i_class || p_class;
    i_pri := i_pri || p_pri;
    i_tenant := i_tenant || p_tenant;
    i_mark := i_mark || p_mark;
    i_take := i_take || p_take;
    FOR i IN 1 .. cardinality(i_class) LOOP
        EXIT WHEN free <= 0;
        n := LEAST(i_take[i], free);
        u := NULL;
        IF user_limits AND i_tenant[i] <> 0 THEN
            u := array_position(gates, i_tenant[i]::bigint);
            IF u IS NULL THEN
                SELECT * INTO o FROM {schema}.room_of(i_tenant[i], u_concurrency, u_rate, u_per);
                gates := gates || i_tenant[i]::bigint;
                rooms := rooms || o.room;
                new_rooms := new_rooms || o.new_room;
                u := cardinality(gates);
            END IF;
            n := LEAST(n, rooms[u], CASE WHEN i_class[i] = 1 THEN new_rooms[u] END);
        END IF;
        CONTINUE WHEN n <= 0;

        -- 3. Within the list, past what is beyond the limit of its workflow.
        IF workflow_limits THEN
            kept := 0;
            moved := 0;
            FOR r IN
                SELECT p.ctid AS place, p.exec, p.epoch, p.rescues, COALESCE(p.run, e.run) AS run, p.definition_hash,
                       {schema}.gate_of('workflow', e.workflow_id::text) AS gate
                  FROM {schema}.ready p
                  LEFT JOIN {schema}.workflow_executions e ON e.seq = ANY (ARRAY[p.exec])
                 WHERE p.class = i_class[i] AND p.pri = i_pri[i] AND p.tenant = i_tenant[i] AND p.seq > i_mark[i]
                 ORDER BY p.seq
                 LIMIT n + look
                   FOR UPDATE OF p SKIP LOCKED
            LOOP
                EXIT WHEN kept >= n;
                w := NULL;
                IF r.gate IS NOT NULL THEN
                    w := array_position(gates, r.gate);
                    IF w IS NULL THEN
                        SELECT * INTO o FROM {schema}.room_of(r.gate, w_concurrency, w_rate, w_per);
                        gates := gates || r.gate;
                        rooms := rooms || o.room;
                        new_rooms := new_rooms || o.new_room;
                        w := cardinality(gates);
                    END IF;
                END IF;
                IF w IS NOT NULL AND LEAST(rooms[w], CASE WHEN r.epoch = 0 THEN new_rooms[w] END) <= 0 THEN
                    DELETE FROM {schema}.ready x WHERE x.ctid = r.place;
                    INSERT INTO {schema}.parked (exec, epoch, run, tenant, pri, rescues, definition_hash, why, gate)
                    VALUES (r.exec, r.epoch, r.run, i_tenant[i], i_pri[i], r.rescues, r.definition_hash, 'limit', r.gate)
                        ON CONFLICT (exec) DO NOTHING;
                    moved := moved + 1;
                ELSE
                    kept := kept + 1;
                    IF w IS NOT NULL THEN
                        rooms[w] := rooms[w] - 1;
                        IF r.epoch = 0 THEN
                            new_rooms[w] := new_rooms[w] - 1;
                        END IF;
                    END IF;
                END IF;
            END LOOP;
            look := GREATEST(look - moved, 0);
            more := more OR (moved > 0 AND kept < n);
            n := kept;
        END IF;
        CONTINUE WHEN n <= 0;

        free := free - n;
        IF u IS NOT NULL THEN
            rooms[u] := rooms[u] - n;
            IF i_class[i] = 1 THEN
                new_rooms[u] := new_rooms[u] - n;
            END IF;
        END IF;
        o_class := o_class || i_class[i];
        o_pri := o_pri || i_pri[i];
        o_tenant := o_tenant || i_tenant[i];
        o_mark := o_mark || i_mark[i];
        o_take := o_take || n::int;
    END LOOP;
    p_class := o_class;
    p_pri := o_pri;
    p_tenant := o_tenant;
    p_mark := o_mark;
    p_take := o_take;
END $$;

-- After a claim, in its transaction, under the locks that admit() took: writes down what counts. The flags say what the configuration limits.
CREATE FUNCTION {schema}.count_claims(
    p_execs bigint[], p_are_starts boolean[], u_concurrency boolean, u_rate boolean, w_concurrency boolean, w_rate boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    SET enable_seqscan = off
    SET enable_bitmapscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET jit = off
AS $$
BEGIN
    WITH through AS (
        SELECT x.exec, x.is_start, g.gate, CASE WHEN l.gate IS NULL THEN g.concurrency ELSE l.concurrency IS NOT NULL END AS concurrency,
               CASE WHEN l.gate IS NULL THEN g.rate ELSE l.rate IS NOT NULL END AS rate
          FROM unnest(p_execs, p_are_starts) AS x (exec, is_start)
          JOIN {schema}.workflow_executions e ON e.seq = ANY (ARRAY[x.exec])
         CROSS JOIN LATERAL (VALUES ({schema}.gate_of('user', e.user_id), u_concurrency, u_rate),
                                    ({schema}.gate_of('workflow', e.workflow_id::text), w_concurrency, w_rate)) AS g (gate, concurrency, rate)
          LEFT JOIN {schema}.limits l ON l.gate = ANY (ARRAY[g.gate])
         WHERE g.gate IS NOT NULL),
    counted AS (
        INSERT INTO {schema}.permits (gate, exec) SELECT t.gate, t.exec FROM through t WHERE t.concurrency ON CONFLICT DO NOTHING)
    INSERT INTO {schema}.starts (gate, at, n)
    SELECT t.gate, clock_timestamp(), count(*) FROM through t WHERE t.rate AND t.is_start GROUP BY t.gate;
END $$;

-- Removes what does not count any more, of gates that nobody asks for: a few in each call, from a different one on each time. Returns how many.
CREATE FUNCTION {schema}.tidy_limits(p_limit int) RETURNS int
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
DECLARE
    g bigint := ((random() - 0.5) * 18e18)::bigint;
    seen int := 0;
    removed int := 0;
    n int;
BEGIN
    WHILE g IS NOT NULL AND seen < p_limit LOOP
        SELECT LEAST((SELECT min(p.gate) FROM {schema}.permits p WHERE p.gate > g), (SELECT min(s.gate) FROM {schema}.starts s WHERE s.gate > g)) INTO g;
        seen := seen + 1;
        -- Under the lock: an execution that is just claimed again keeps its permit.
        IF g IS NOT NULL AND pg_try_advisory_xact_lock(g) THEN
            DELETE FROM {schema}.permits p WHERE p.gate = g AND (SELECT h.exec FROM {schema}.held h WHERE h.exec = p.exec) IS NULL;
            GET DIAGNOSTICS n = ROW_COUNT;
            removed := removed + n;
            DELETE FROM {schema}.starts s WHERE s.gate = g AND s.at < clock_timestamp() - interval '31 days';
            GET DIAGNOSTICS n = ROW_COUNT;
            removed := removed + n;
        END IF;
    END LOOP;
    RETURN removed;
END $$;

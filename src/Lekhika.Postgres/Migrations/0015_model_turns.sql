-- Which model has the turn at a model server that several daemons share, so that they do not make it swap models against each other.
--
-- One row per endpoint and place (a place holds one loaded model; most servers have one). A turn belongs to a model, and every daemon that has
-- work for that model shares it. Whoever waits longest for another model is written down; from then on nobody joins the turn, those who have
-- it give it back within their age bound, and the place goes to the model that was written down.
--
-- A daemon that dies is known by its row in workers: its turns and wishes count for nothing once its lease has lapsed, by the database's clock.
-- Daemons ask once a second while they have something to ask; a row is written only when something changes.
CREATE TABLE {schema}.model_turns (
    endpoint     text NOT NULL,
    place        int NOT NULL,
    model        text,
    holders      bigint[] NOT NULL DEFAULT '{}',
    since        timestamptz,
    wanted       text,
    wanted_by    bigint,
    wanted_since timestamptz,
    PRIMARY KEY (endpoint, place)
) WITH (fillfactor = 50);
COMMENT ON TABLE {schema}.model_turns IS 'Which model has the turn at an endpoint shared by daemons. The wish is on place 0.';

-- What a daemon has and wants at one endpoint, and what comes of it.
--   p_has      models whose turn it has; what it had before and does not name is given back
--   p_want     models it waits for, in the order it wants them
--   alone      no other daemon is alive: everything wanted is granted
--   granted    those of p_want whose turn it has from now on
--   contested  those of p_has that it should give back when its lane is empty or their time is up
CREATE FUNCTION {schema}.model_turn(
    p_inc bigint, p_endpoint text, p_places int, p_has text[], p_want text[],
    OUT alone boolean, OUT granted text[], OUT contested text[])
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    SET jit = off
AS $$
DECLARE
    alive bigint[];
    old {schema}.model_turns[];
    turn {schema}.model_turns[] := '{}';
    head {schema}.model_turns;
    at timestamptz;
    m text;
    i int;
    place_of int;
    free_place int;
    oldest int;
BEGIN
    granted := '{}';
    contested := '{}';
    alive := ARRAY(SELECT w.inc FROM {schema}.workers w WHERE NOT w.revoked AND w.expires_at > clock_timestamp());
    alone := NOT EXISTS (SELECT FROM unnest(alive) AS a (inc) WHERE a.inc <> p_inc);

    -- Alone and nothing written down: nothing to write either.
    IF alone AND NOT EXISTS (
            SELECT FROM {schema}.model_turns t WHERE t.endpoint = p_endpoint AND (p_inc = ANY (t.holders) OR t.wanted_by = p_inc)) THEN
        granted := p_want;
        RETURN;
    END IF;

    -- One daemon at a time decides about an endpoint. Not a row lock: most calls change nothing, and a lock is a write.
    PERFORM pg_advisory_xact_lock(hashtext('lekhika-model-turn'), hashtext(p_endpoint));
    at := clock_timestamp();
    old := ARRAY(SELECT t FROM {schema}.model_turns t WHERE t.endpoint = p_endpoint ORDER BY t.place);

    -- As it stands without the dead and without what is given back. Rows of an earlier, larger number of places go with their last holder.
    FOR i IN 0 .. greatest(p_places, cardinality(old)) - 1 LOOP
        SELECT o.* INTO head FROM unnest(old) AS o WHERE o.place = i;
        IF NOT FOUND THEN
            head := ROW (p_endpoint, i, NULL, '{}', NULL, NULL, NULL, NULL);
        END IF;
        head.holders := ARRAY(SELECT h FROM unnest(head.holders) AS h
                               WHERE h = ANY (alive) AND (h <> p_inc OR head.model = ANY (p_has)) ORDER BY h);
        IF head.holders = '{}' THEN
            head.model := NULL;
            head.since := NULL;
        END IF;
        IF head.wanted_by <> ALL (alive) OR (head.wanted_by = p_inc AND head.wanted <> ALL (p_want)) THEN
            head.wanted := NULL;
            head.wanted_by := NULL;
            head.wanted_since := NULL;
        END IF;
        turn := turn || head;
    END LOOP;

    -- What it has without being written down: taken while it was alone, or while the database was away.
    FOREACH m IN ARRAY p_has LOOP
        SELECT t.place + 1 INTO place_of FROM unnest(turn) AS t WHERE t.model = m LIMIT 1;
        SELECT t.place + 1 INTO free_place FROM unnest(turn) AS t WHERE t.model IS NULL AND t.place < p_places ORDER BY t.place LIMIT 1;
        IF place_of IS NOT NULL THEN
            IF p_inc <> ALL (turn[place_of].holders) THEN
                turn[place_of].holders := turn[place_of].holders || p_inc;
            END IF;
        ELSIF free_place IS NOT NULL THEN
            turn[free_place].model := m;
            turn[free_place].holders := ARRAY[p_inc];
            turn[free_place].since := at;
        ELSE
            contested := contested || m;
        END IF;
    END LOOP;

    FOREACH m IN ARRAY p_want LOOP
        SELECT t.place + 1 INTO place_of FROM unnest(turn) AS t WHERE t.model = m LIMIT 1;
        SELECT t.place + 1 INTO free_place FROM unnest(turn) AS t WHERE t.model IS NULL AND t.place < p_places ORDER BY t.place LIMIT 1;
        IF turn[1].wanted IS NULL OR turn[1].wanted = m OR turn[1].wanted_by = p_inc OR alone THEN
            IF place_of IS NOT NULL AND (turn[1].wanted IS NULL OR turn[1].wanted = m) THEN
                turn[place_of].holders := turn[place_of].holders || p_inc;
                granted := granted || m;
            ELSIF free_place IS NOT NULL THEN
                turn[free_place].model := m;
                turn[free_place].holders := ARRAY[p_inc];
                turn[free_place].since := at;
                granted := granted || m;
            ELSIF turn[1].wanted IS NULL THEN
                turn[1].wanted := m;
                turn[1].wanted_by := p_inc;
                turn[1].wanted_since := at;
            END IF;
            IF m = ANY (granted) AND turn[1].wanted = m THEN
                turn[1].wanted := NULL;
                turn[1].wanted_by := NULL;
                turn[1].wanted_since := NULL;
            END IF;
        END IF;
    END LOOP;

    -- Somebody waits: the oldest turn is the one to be given back.
    IF turn[1].wanted IS NOT NULL THEN
        SELECT t.place + 1 INTO oldest FROM unnest(turn) AS t WHERE t.model IS NOT NULL ORDER BY t.since, t.place LIMIT 1;
        IF turn[oldest].model = ANY (p_has) AND turn[oldest].model <> ALL (contested) THEN
            contested := contested || turn[oldest].model;
        END IF;
    END IF;

    INSERT INTO {schema}.model_turns AS t
    SELECT n.* FROM unnest(turn) AS n
     WHERE NOT EXISTS (SELECT FROM unnest(old) AS o WHERE o = n)
        ON CONFLICT (endpoint, place) DO UPDATE
       SET model = excluded.model, holders = excluded.holders, since = excluded.since,
           wanted = excluded.wanted, wanted_by = excluded.wanted_by, wanted_since = excluded.wanted_since;
END $$;

-- How rows get into the queue: statement triggers on what backends write. A producer's commit pays for one insert into
-- ready per row, and for one NOTIFY only while a worker has said that it is idle.

-- Content hash of a definition: the first 128 bits of SHA-256 over its canonical text.
CREATE FUNCTION {schema}.hash_of(p_definition jsonb) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog
AS $$ SELECT pg_catalog.encode(pg_catalog.substr(pg_catalog.sha256(pg_catalog.convert_to(p_definition::text, 'UTF8')), 1, 16), 'hex')::uuid $$;

CREATE FUNCTION {schema}.tenant_of(p_user_id text) RETURNS int
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN p_user_id IS NULL THEN 0 ELSE pg_catalog.hashtext(p_user_id) END $$;

CREATE FUNCTION {schema}.pri_of(p_priority int) RETURNS smallint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT (-GREATEST(-1000, LEAST(1000, p_priority)))::smallint $$;

-- Wakes the daemons that have said they are idle; nobody is woken under load, where a NOTIFY per commit would serialise producers.
CREATE FUNCTION {schema}.nudge() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    IF EXISTS (SELECT FROM {schema}.workers w WHERE w.idle AND NOT w.revoked AND w.expires_at > clock_timestamp()) THEN
        PERFORM pg_notify('{channel}', 'ready');
    END IF;
END $$;

CREATE FUNCTION {schema}.feed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    -- rev > 0 marks a row that the daemon inserted already claimed by itself.
    IF NOT EXISTS (SELECT FROM fresh f WHERE f.rev = 0) THEN
        RETURN NULL;
    END IF;
    INSERT INTO {schema}.ready (exec, tenant, pri)
    SELECT f.seq, {schema}.tenant_of(f.user_id), {schema}.pri_of(f.priority)
      FROM fresh f
     WHERE f.status IN ('pending', 'running', 'waiting') AND f.rev = 0 AND (f.run_at IS NULL OR f.run_at <= now())
     ORDER BY f.seq;

    INSERT INTO {schema}.parked (exec, epoch, run, tenant, pri, rescues, paused, due_at, why)
    SELECT f.seq, 0, f.run, {schema}.tenant_of(f.user_id), {schema}.pri_of(f.priority), 0, f.status = 'paused',
           CASE WHEN f.run_at > now() THEN f.run_at END, CASE WHEN f.run_at > now() THEN 'run_at' ELSE 'paused' END
      FROM fresh f
     WHERE f.rev = 0 AND (f.status = 'paused' OR (f.status IN ('pending', 'running', 'waiting') AND f.run_at > now()));

    -- Insertions of what has run and was removed by retention since.
    IF EXISTS (SELECT FROM {schema}.tombstones) THEN
        PERFORM {schema}.mark_repeated(ARRAY(SELECT f.seq FROM fresh f WHERE f.rev = 0));
    END IF;

    PERFORM {schema}.nudge();
    RETURN NULL;
END $$;

CREATE TRIGGER lekhika_feed AFTER INSERT ON {schema}.workflow_executions
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION {schema}.feed();

-- Stores a definition and keeps it from being swept away until the transaction that names it is over.
CREATE FUNCTION {schema}.keep(p_hash uuid, p_definition jsonb) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    LOOP
        INSERT INTO {schema}.definitions (hash, definition) VALUES (p_hash, p_definition) ON CONFLICT (hash) DO NOTHING;
        PERFORM FROM {schema}.definitions d WHERE d.hash = p_hash FOR KEY SHARE;
        EXIT WHEN FOUND;
    END LOOP;
END $$;

-- Keeps definition_hash true and the content in definitions, so that a claim pins a definition by its hash alone.
CREATE FUNCTION {schema}.pin_definition() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$
BEGIN
    IF NEW.definition IS NULL THEN
        NEW.definition_hash := NULL;
    ELSE
        NEW.definition_hash := {schema}.hash_of(NEW.definition);
        PERFORM {schema}.keep(NEW.definition_hash, NEW.definition);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER lekhika_pin BEFORE INSERT OR UPDATE OF definition, definition_hash ON {schema}.workflows
    FOR EACH ROW EXECUTE FUNCTION {schema}.pin_definition();
-- Workflows that were there before.
UPDATE {schema}.workflows SET definition = definition WHERE definition IS NOT NULL;

-- An inline definition is part of what was submitted: it does not change under a run. A pending execution may be held and at work already
-- (running is written late), so it is kept there too.
CREATE FUNCTION {schema}.keep_definition() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    IF OLD.status NOT IN ('completed', 'failed', 'cancelled') AND NEW.definition IS DISTINCT FROM OLD.definition THEN
        RAISE NOTICE 'execution %: its definition is in use and was kept; cancel it or wait for its end', OLD.id;
        NEW.definition := OLD.definition;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER lekhika_keep_definition BEFORE UPDATE OF definition ON {schema}.workflow_executions
    FOR EACH ROW EXECUTE FUNCTION {schema}.keep_definition();

-- The completion hook: a function of the operator's, called with (execution id, status, tokens, words) in the transaction that records a final
-- state, whoever records it: the journal's flush, an UPDATE by SQL, a stop over HTTP. It is a trigger that exists only while a hook is configured, so
-- that nobody else pays for it.
--
--   called       once for each final state of each run, with the tokens and words of that run alone: what a resumed run takes over was told before
--   it raises    its own changes are undone, the final state is not; the call goes to hook_queue and is made again until it succeeds
--   it is slow   a lock it waits for longer than lock_timeout counts as raised; the rest of that batch waits hardly at all
CREATE TABLE {schema}.hook_queue (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    execution_id uuid NOT NULL,
    run          int NOT NULL,
    status       text NOT NULL,
    tokens       bigint NOT NULL,
    words        bigint NOT NULL,
    attempts     int NOT NULL DEFAULT 1,
    error        text NOT NULL,
    failed_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    next_at      timestamptz NOT NULL DEFAULT clock_timestamp() + interval '5 seconds'
);
COMMENT ON TABLE {schema}.hook_queue IS 'Calls of the completion hook that raised, with the error; made again until they succeed.';

-- The one hook: no row, no hook.
CREATE TABLE {schema}.completion_hook (
    one  boolean PRIMARY KEY DEFAULT true CHECK (one),
    name text NOT NULL
);

CREATE FUNCTION {schema}.on_complete() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    -- The journal pins its plans; the hook is to be planned as it would be anywhere else.
    SET search_path = pg_catalog
    SET enable_seqscan = on
    SET enable_bitmapscan = on
    SET enable_hashjoin = on
    SET enable_mergejoin = on
    SET plan_cache_mode = auto
    SET lock_timeout = '1s'
AS $$
DECLARE
    l_tokens bigint := NEW.tokens_in + NEW.tokens_out;
    l_words bigint := NEW.words;
    l_error text;
BEGIN
    -- Was never run: a repetition of one that retention has removed.
    IF NEW.error_details->>'code' = 'already_ran' THEN
        RETURN NULL;
    END IF;
    IF NEW.run > 1 OR NEW.status = 'cancelled' THEN
        SELECT COALESCE(sum(COALESCE((s.metrics->>'tokens_in')::bigint, 0) + COALESCE((s.metrics->>'tokens_out')::bigint, 0)), 0),
               COALESCE(sum(COALESCE((s.metrics->>'words')::bigint, 0)), 0)
          INTO l_tokens, l_words
          FROM {schema}.workflow_execution_steps s
         WHERE s.seq = NEW.seq AND s.run = NEW.run;
    END IF;
    -- One that had to wait for a lock in this transaction already has held up enough others.
    IF current_setting('lekhika.hook_waited', true) = pg_current_xact_id()::text THEN
        PERFORM set_config('lock_timeout', '10ms', true);
    END IF;
    BEGIN
        PERFORM set_config('search_path', TG_ARGV[1], true);
        EXECUTE 'SELECT ' || TG_ARGV[0] || '($1, $2, $3, $4)' USING NEW.id, NEW.status, l_tokens, l_words;
        RETURN NULL;
    EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
        l_error := format('%s (SQLSTATE %s)', SQLERRM, SQLSTATE);
        IF SQLSTATE = '55P03' THEN
            PERFORM set_config('lekhika.hook_waited', pg_current_xact_id()::text, true);
        END IF;
    END;
    INSERT INTO {schema}.hook_queue (execution_id, run, status, tokens, words, error)
    VALUES (NEW.id, NEW.run, NEW.status, l_tokens, l_words, l_error);
    RAISE WARNING 'execution %: the completion hook raised: %; it will be called again', NEW.id, l_error;
    RETURN NULL;
END $$;

-- Makes the database call the given function (schema.function), or none. Returns whether that is a change.
CREATE FUNCTION {schema}.set_completion_hook(p_hook text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    SET lock_timeout = '2s'
AS $$
DECLARE
    present text := (SELECT h.name FROM {schema}.completion_hook h);
    l_schema text;
    l_name text;
BEGIN
    IF p_hook IS NOT NULL THEN
        SELECT quote_ident(n.nspname), quote_ident(p.proname) INTO l_schema, l_name
          FROM pg_proc p
          JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE p.oid = to_regprocedure(p_hook || '(uuid,text,bigint,bigint)');
        IF NOT FOUND THEN
            RAISE EXCEPTION 'there is no function %(uuid, text, bigint, bigint)', p_hook
                  USING ERRCODE = 'undefined_function', HINT = 'Create it, or change database.completion_hook.';
        END IF;
    END IF;
    IF present IS NOT DISTINCT FROM l_schema || '.' || l_name THEN
        RETURN false;
    END IF;

    DELETE FROM {schema}.completion_hook;
    DROP TRIGGER IF EXISTS lekhika_complete ON {schema}.workflow_executions;
    IF p_hook IS NOT NULL THEN
        INSERT INTO {schema}.completion_hook (name) VALUES (l_schema || '.' || l_name);
        EXECUTE format(
            'CREATE TRIGGER lekhika_complete AFTER UPDATE OF status ON {schema}.workflow_executions FOR EACH ROW '
            || 'WHEN (OLD.status IS DISTINCT FROM NEW.status AND NEW.status IN (''completed'', ''failed'', ''cancelled'')) '
            || 'EXECUTE FUNCTION {schema}.on_complete(%L, %L)',
            l_schema || '.' || l_name, l_schema || ', public');
    END IF;
    RETURN true;
END $$;

-- Calls that raised are made again, each in a subtransaction of its own. Returns those that raised again.
CREATE FUNCTION {schema}.retry_hooks(p_limit int) RETURNS TABLE (execution_id uuid, attempts int, error text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    SET lock_timeout = '1s'
AS $$
#variable_conflict use_column
DECLARE
    hook text := (SELECT h.name FROM {schema}.completion_hook h);
    q {schema}.hook_queue;
BEGIN
    IF hook IS NULL THEN
        RETURN;
    END IF;
    FOR q IN SELECT * FROM {schema}.hook_queue w WHERE w.next_at <= clock_timestamp() ORDER BY w.next_at LIMIT p_limit FOR UPDATE SKIP LOCKED LOOP
        BEGIN
            PERFORM set_config('search_path', split_part(hook, '.', 1) || ', public', true);
            EXECUTE 'SELECT ' || hook || '($1, $2, $3, $4)' USING q.execution_id, q.status, q.tokens, q.words;
            DELETE FROM {schema}.hook_queue w WHERE w.id = q.id;
        EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
            execution_id := q.execution_id;
            attempts := q.attempts + 1;
            error := format('%s (SQLSTATE %s)', SQLERRM, SQLSTATE);
            UPDATE {schema}.hook_queue w
               SET attempts = w.attempts + 1, error = retry_hooks.error,
                   next_at = clock_timestamp() + LEAST(interval '5 seconds' * power(2, LEAST(w.attempts, 12)), interval '1 hour')
             WHERE w.id = q.id;
            RETURN NEXT;
        END;
    END LOOP;
END $$;

-- Schedules: a workflow, a cron expression and a time zone. Daemons work out the slots (a slot is a time at which it should run) and the database
-- makes each of them one execution:
--
--   next_run_at null ──► first slot worked out ──► due ──► fire(): executions inserted, next_run_at advanced, one transaction
--                                                   └────► quarantined: is_active false, error says why (a cron or zone that cannot be read)
--
-- Any number of daemons may find the same schedule due. fire() proves that the row is still what the slots were worked out from, under a lock that
-- others skip, so one of them fires and the rest find nothing. The id of an execution is derived from schedule and slot besides.
ALTER TABLE {schema}.workflow_schedules
    ADD COLUMN IF NOT EXISTS priority          int NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS last_execution_id uuid;
COMMENT ON COLUMN {schema}.workflow_schedules.cron IS 'Five or six fields (seconds first), or @hourly and the like. See docs/schedules.md.';
COMMENT ON COLUMN {schema}.workflow_schedules.catch_up IS 'What becomes of slots that no daemon was there for: skip, once, or all (the newest catch_up_limit).';
COMMENT ON COLUMN {schema}.workflow_schedules.next_run_at IS 'The next slot. Null lets a daemon work it out, from now on.';
COMMENT ON COLUMN {schema}.workflow_schedules.last_run_at IS 'The last slot that became an execution.';
COMMENT ON COLUMN {schema}.workflow_schedules.error IS 'With is_active false: quarantined, for this reason. With is_active true: why the last slot was passed over.';

-- A changed cron or zone, or a resumed schedule, counts from now on. Mending the cron of a quarantined schedule takes it out of quarantine.
CREATE FUNCTION {schema}.on_schedule() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    IF (NEW.cron, NEW.timezone) IS DISTINCT FROM (OLD.cron, OLD.timezone) THEN
        IF NOT OLD.is_active AND NOT NEW.is_active AND OLD.error IS NOT NULL THEN
            NEW.is_active := true;
        END IF;
        NEW.error := NULL;
        IF NEW.next_run_at IS NOT DISTINCT FROM OLD.next_run_at THEN
            NEW.next_run_at := NULL;
        END IF;
    ELSIF NEW.is_active AND NOT OLD.is_active THEN
        NEW.error := NULL;
        IF NEW.next_run_at IS NOT DISTINCT FROM OLD.next_run_at THEN
            NEW.next_run_at := NULL;
        END IF;
    ELSIF OLD.is_active AND NOT NEW.is_active AND NEW.error IS NOT DISTINCT FROM OLD.error THEN
        NEW.error := NULL;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER lekhika_schedule BEFORE UPDATE OF cron, timezone, is_active ON {schema}.workflow_schedules
    FOR EACH ROW EXECUTE FUNCTION {schema}.on_schedule();

-- Makes executions of slots and advances the schedule, if it is still as it was read. Without slots it only advances.
--   outcome  fired, advanced (no slots), skipped (the workflow cannot run; problem says why), gone (somebody else was faster, or it was changed)
--   is_news  whether problem was not known before: it is logged once
CREATE FUNCTION {schema}.fire(
    p_id uuid, p_cron text, p_timezone text, p_due timestamptz, p_next timestamptz, p_slots timestamptz[], p_executions uuid[],
    OUT outcome text, OUT started int, OUT problem text, OUT is_news boolean)
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
DECLARE
    s record;
    w record;
    slots int := cardinality(p_slots);
BEGIN
    started := 0;
    is_news := false;
    SELECT * INTO s FROM {schema}.workflow_schedules
     WHERE id = p_id AND is_active AND cron = p_cron AND timezone = p_timezone AND next_run_at IS NOT DISTINCT FROM p_due
       FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        outcome := 'gone';
        RETURN;
    END IF;

    outcome := 'advanced';
    IF slots > 0 THEN
        SELECT x.is_active, x.definition IS NOT NULL AS is_defined INTO w FROM {schema}.workflows x WHERE x.id = s.workflow_id;
        problem := CASE
            WHEN NOT FOUND THEN format('workflow_not_found: there is no workflow %s; slots are passed over until there is, or remove the schedule', s.workflow_id)
            WHEN NOT w.is_active THEN format('workflow_inactive: workflow %s is switched off; slots are passed over until it is active again', s.workflow_id)
            WHEN NOT w.is_defined THEN format('workflow_not_found: workflow %s has no definition; slots are passed over until it has one', s.workflow_id)
        END;
        outcome := CASE WHEN problem IS NULL THEN 'fired' ELSE 'skipped' END;
        is_news := problem IS DISTINCT FROM s.error AND problem IS NOT NULL;
    END IF;

    IF outcome = 'fired' THEN
        INSERT INTO {schema}.workflow_executions (id, workflow_id, inputs, user_id, priority, request)
        SELECT f.id, s.workflow_id, COALESCE(s.inputs, '{}'), s.user_id, s.priority,
               jsonb_build_object('schedule', jsonb_build_object('id', s.id, 'slot', to_char(f.slot AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')))
          FROM unnest(p_executions, p_slots) AS f (id, slot)
         ORDER BY f.slot
            ON CONFLICT (id) DO NOTHING;
        GET DIAGNOSTICS started = ROW_COUNT;
    END IF;

    UPDATE {schema}.workflow_schedules
       SET next_run_at = p_next,
           last_run_at = CASE WHEN outcome = 'fired' THEN p_slots[slots] ELSE last_run_at END,
           last_execution_id = CASE WHEN outcome = 'fired' THEN p_executions[slots] ELSE last_execution_id END,
           error = CASE WHEN outcome = 'advanced' THEN error ELSE problem END
     WHERE id = p_id;
END $$;

-- The way back from "lekhika-daemon migrate" on CtrlChecks' workflow_generation_jobs, with the daemons stopped: switches off the triggers on that
-- table, and gives what the daemons have not finished back to the earlier worker, as pending. Columns, rows and indexes stay. ctrlchecks.sql is the way forth again.
--
--   psql -d DATABASE -v ON_ERROR_STOP=1 [-v schema=public] -f ctrlchecks-remove.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
    \set schema public
\endif

BEGIN;
SET LOCAL lock_timeout = '5s';
ALTER TABLE :"schema".workflow_generation_jobs
    DISABLE TRIGGER lekhika_generation_feed,
    DISABLE TRIGGER lekhika_generation_status,
    DISABLE TRIGGER lekhika_generation_mark,
    DISABLE TRIGGER lekhika_generation_delete;
DELETE FROM :"schema".workflow_executions WHERE generation AND status NOT IN ('completed', 'failed', 'cancelled');
DELETE FROM :"schema".generation_marks;
UPDATE :"schema".workflow_generation_jobs
   SET status = 'pending', progress_percentage = 0, current_phase = NULL, started_at = NULL, worker_id = NULL
 WHERE status = 'processing';
COMMIT;

\echo Jobs that the earlier worker will find:
SELECT count(*) AS pending FROM :"schema".workflow_generation_jobs WHERE status = 'pending';

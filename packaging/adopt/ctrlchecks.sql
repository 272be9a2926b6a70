-- Takes up CtrlChecks' workflow_generation_jobs again after ctrlchecks-remove.sql, with the earlier worker stopped. The first time "lekhika-daemon migrate"
-- does all there is to do; then this changes nothing, but that jobs which the earlier worker left at processing begin anew at once.
--
--   psql -d DATABASE -v ON_ERROR_STOP=1 [-v schema=public] -f ctrlchecks.sql
\set ON_ERROR_STOP on
\if :{?schema}
\else
    \set schema public
\endif

BEGIN;
SET LOCAL lock_timeout = '5s';
ALTER TABLE :"schema".workflow_generation_jobs
    ENABLE TRIGGER lekhika_generation_feed,
    ENABLE TRIGGER lekhika_generation_status,
    ENABLE TRIGGER lekhika_generation_mark,
    ENABLE TRIGGER lekhika_generation_delete;
-- Those of the earlier worker: jobs of a daemon have an execution.
UPDATE :"schema".workflow_generation_jobs j SET status = 'pending'
 WHERE j.status = 'processing' AND NOT EXISTS (SELECT FROM :"schema".workflow_executions e WHERE e.id = j.id);
SELECT :"schema".generation_adopt(100000) AS taken_up;
COMMIT;

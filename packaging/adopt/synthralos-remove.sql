-- Takes back what synthralos.sql made. Rows stay as they are; executions that are under way go on, unseen by the platform's table.
--
--   psql -d DATABASE -v ON_ERROR_STOP=1 [-v schema=lekhika] [-v platform=public] -f synthralos-remove.sql
--   psql … -v hand_back=yes     for the way back, with the daemons stopped: what they have not finished is deleted here, so that only the earlier
--                               worker runs it, which finds it still running in its table and goes on at its current node
\set ON_ERROR_STOP on
\if :{?schema}
\else
    \set schema lekhika
\endif
\if :{?platform}
\else
    \set platform public
\endif

BEGIN;
SET LOCAL lock_timeout = '5s';
SET LOCAL client_min_messages = warning;
DROP TRIGGER IF EXISTS lekhika_mirror_synthralos ON :"schema".workflow_executions;
DROP TRIGGER IF EXISTS lekhika_insert ON :"platform".workflowexecution;
DROP TRIGGER IF EXISTS lekhika_status ON :"platform".workflowexecution;
SELECT to_regclass(format('%I.workflowsignal', :'platform')) IS NOT NULL AS signals \gset
\if :signals
DROP TRIGGER IF EXISTS lekhika_signal ON :"platform".workflowsignal;
\endif
\if :{?hand_back}
DELETE FROM :"schema".workflow_executions e
 USING :"platform".workflowexecution x
 WHERE x.id = e.id AND e.status NOT IN ('completed', 'failed', 'cancelled');
\endif
DELETE FROM :"schema".mirror_queue WHERE platform = 'synthralos';
DELETE FROM :"schema".adopted WHERE platform = 'synthralos';
COMMIT;

-- Takes back what lekhika.sql made. Rows stay as they are; executions go on, unseen by the platform's table.
--
--   psql -d DATABASE -v ON_ERROR_STOP=1 [-v schema=lekhika] [-v platform=public] -f lekhika-remove.sql
--   psql … -v hand_back=yes     for the way back, with the daemons stopped: what they have not finished is cancelled, and shown as failed in the
--                               platform's table, where nobody would end it otherwise
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
\if :{?hand_back}
UPDATE :"schema".workflow_executions e SET status = 'cancelled', error = 'interrupted; start it again'
  FROM :"platform".engine_executions x
 WHERE x.id = e.id AND e.status NOT IN ('completed', 'failed', 'cancelled');
\endif
DROP TRIGGER IF EXISTS lekhika_mirror_lekhika ON :"schema".workflow_executions;
DROP TRIGGER IF EXISTS lekhika_before ON :"platform".engine_executions;
DROP TRIGGER IF EXISTS lekhika_never_null ON :"platform".engine_executions;
DROP TRIGGER IF EXISTS lekhika_after ON :"platform".engine_executions;
DELETE FROM :"schema".mirror_queue WHERE platform = 'lekhika';
DELETE FROM :"schema".adopted WHERE platform = 'lekhika';
COMMIT;

-- Takes back what lekhika.sql made. Rows stay as they are; executions go on, unseen by the platform's table.
--
--   psql -d DATABASE -v ON_ERROR_STOP=1 [-v schema=lekhika] [-v platform=public] -f lekhika-remove.sql
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
DROP TRIGGER IF EXISTS lekhika_mirror_lekhika ON :"schema".workflow_executions;
DROP TRIGGER IF EXISTS lekhika_before ON :"platform".engine_executions;
DROP TRIGGER IF EXISTS lekhika_never_null ON :"platform".engine_executions;
DROP TRIGGER IF EXISTS lekhika_after ON :"platform".engine_executions;
DELETE FROM :"schema".mirror_queue WHERE platform = 'lekhika';
DELETE FROM :"schema".adopted WHERE platform = 'lekhika';
COMMIT;

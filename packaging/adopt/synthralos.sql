-- Runs the rows that the SynthralOS API puts into workflowexecution, and keeps them and their execution_state true for that API.
--
--   psql -d DATABASE -v ON_ERROR_STOP=1 -f synthralos.sql
--   psql … -v schema=engine -v platform=public -f synthralos.sql     the daemon's schema (lekhika) and the platform's (public), if they are others
--
-- As a superuser, or as a role that owns both schemas' tables; after "lekhika-daemon migrate", with the Python worker stopped. It may be run again
-- at any time. synthralos-remove.sql takes it back. What it does and does not do is in docs/adopt.md.
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
SELECT :"schema".adopt('synthralos', :'platform');

DROP TRIGGER IF EXISTS lekhika_mirror_synthralos ON :"schema".workflow_executions;
DROP TRIGGER IF EXISTS lekhika_insert ON :"platform".workflowexecution;
DROP TRIGGER IF EXISTS lekhika_status ON :"platform".workflowexecution;

-- At most twice a run: when it is first seen at work (later runs, when they are opened), and when it ends; and once for each pause or resume by people.
CREATE TRIGGER lekhika_mirror_synthralos AFTER UPDATE OF status ON :"schema".workflow_executions FOR EACH ROW
    WHEN ((OLD.status IS DISTINCT FROM NEW.status AND NEW.status IN ('completed', 'failed', 'cancelled'))
          OR NEW.run > OLD.run
          OR (OLD.status = 'paused') <> (NEW.status = 'paused')
          OR (NEW.run = 1 AND OLD.started_at IS NULL AND NEW.started_at IS NOT NULL AND NEW.status IN ('running', 'waiting', 'paused')))
    EXECUTE FUNCTION :"schema".on_mirror('synthralos');

-- pg_trigger_depth() tells the platform's own writes from the mirror's.
CREATE TRIGGER lekhika_insert AFTER INSERT ON :"platform".workflowexecution FOR EACH ROW
    WHEN (NEW.status IN ('pending', 'running', 'paused'))
    EXECUTE FUNCTION :"schema".on_synthralos_insert();
CREATE TRIGGER lekhika_status AFTER UPDATE OF status ON :"platform".workflowexecution FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION :"schema".on_synthralos_status();

-- Signals, where the platform has a table for them.
SELECT to_regclass(format('%I.workflowsignal', :'platform')) IS NOT NULL AS signals \gset
\if :signals
DROP TRIGGER IF EXISTS lekhika_signal ON :"platform".workflowsignal;
CREATE TRIGGER lekhika_signal BEFORE INSERT ON :"platform".workflowsignal FOR EACH ROW
    WHEN (NEW.processed IS NOT TRUE)
    EXECUTE FUNCTION :"schema".on_synthralos_signal();
\endif

-- The workflows are read, and nothing else of theirs.
SELECT pg_get_userbyid(proowner) AS writer FROM pg_proc WHERE oid = format('%I.on_mirror()', :'schema')::regprocedure \gset
GRANT SELECT ON :"platform".workflow TO :"writer";
COMMIT;

\echo Executions that the earlier worker left unfinished, which nobody runs any more:
SELECT count(*) AS unfinished
  FROM :"platform".workflowexecution x
 WHERE x.completed_at IS NULL AND (x.status IN ('running', 'paused', 'waiting_for_signal') OR (x.status = 'failed' AND x.next_retry_at IS NOT NULL))
   AND NOT EXISTS (SELECT FROM :"schema".workflow_executions e WHERE e.id = x.id);
\echo A paused one begins anew when it is resumed. To begin the others anew, with the inputs that they had:
SELECT format('SELECT count(*) FROM %I.workflowexecution WHERE completed_at IS NULL AND (status IN (''running'', ''waiting_for_signal'') '
              'OR (status = ''failed'' AND next_retry_at IS NOT NULL)) AND %I.start_synthralos(id)', :'platform', :'schema') AS command;

-- Keeps the Lekhika platform's engine_executions true for its front end, which polls that table, and lets the platform stop an execution there.
--
--   psql -d DATABASE -v ON_ERROR_STOP=1 -f lekhika.sql
--   psql … -v schema=engine -v platform=public -f lekhika.sql     the daemon's schema (lekhika) and the platform's (public), if they are others
--
-- As a superuser, or as a role that owns both schemas' tables; after "lekhika-daemon migrate". It may be run again at any time.
-- lekhika-remove.sql takes it back. What it does and does not do is in docs/adopt.md.
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
SELECT :"schema".adopt('lekhika', :'platform');

DROP TRIGGER IF EXISTS lekhika_mirror_lekhika ON :"schema".workflow_executions;
DROP TRIGGER IF EXISTS lekhika_before ON :"platform".engine_executions;
DROP TRIGGER IF EXISTS lekhika_never_null ON :"platform".engine_executions;
DROP TRIGGER IF EXISTS lekhika_after ON :"platform".engine_executions;

-- At most twice a run: when it is first seen at work (later runs, when they are opened), and when it ends.
CREATE TRIGGER lekhika_mirror_lekhika AFTER UPDATE OF status ON :"schema".workflow_executions FOR EACH ROW
    WHEN ((OLD.status IS DISTINCT FROM NEW.status AND NEW.status IN ('completed', 'failed', 'cancelled'))
          OR NEW.run > OLD.run
          OR (NEW.run = 1 AND OLD.started_at IS NULL AND NEW.started_at IS NOT NULL AND NEW.status IN ('running', 'waiting', 'paused')))
    EXECUTE FUNCTION :"schema".on_mirror('lekhika');

-- pg_trigger_depth() tells the platform's own writes from the mirror's.
CREATE TRIGGER lekhika_before BEFORE UPDATE OF status ON :"platform".engine_executions FOR EACH ROW
    WHEN (NEW.status = 'cancelled' AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION :"schema".on_engine_stop();
CREATE TRIGGER lekhika_never_null BEFORE INSERT OR UPDATE OF execution_data ON :"platform".engine_executions FOR EACH ROW
    WHEN (NEW.execution_data IS NULL)
    EXECUTE FUNCTION :"schema".on_engine_stop();
CREATE TRIGGER lekhika_after AFTER UPDATE OF status ON :"platform".engine_executions FOR EACH ROW
    WHEN (OLD.status = 'running' AND NEW.status = 'failed' AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION :"schema".on_engine_stop();

UPDATE :"platform".engine_executions SET execution_data = '{}' WHERE execution_data IS NULL;

-- adopt.lekhika compares keys with those of this table, and reads nothing else of the platform's.
SELECT to_regclass(format('%I.user_engines', :'platform')) IS NOT NULL AS keys \gset
\if :keys
SELECT pg_get_userbyid(proowner) AS writer FROM pg_proc WHERE oid = format('%I.on_mirror()', :'schema')::regprocedure \gset
GRANT SELECT ON :"platform".user_engines TO :"writer";
\endif
COMMIT;

\echo Executions that the earlier worker left unfinished, which nobody runs any more:
SELECT count(*) AS unfinished
  FROM :"platform".engine_executions x
 WHERE x.status = 'running' AND NOT EXISTS (SELECT FROM :"schema".workflow_executions e WHERE e.id = x.id);
\echo To show them as failed, so that nobody waits for them:
SELECT format('UPDATE %1$I.engine_executions x SET status = ''failed'', error_message = ''interrupted; start it again'', completed_at = now() '
              'WHERE status = ''running'' AND NOT EXISTS (SELECT FROM %2$I.workflow_executions e WHERE e.id = x.id)', :'platform', :'schema') AS command;

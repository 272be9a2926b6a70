-- Prompts that are to become workflows. Columns, types and checks are those of the platform that has such a table already, so that an
-- existing one is adopted in place: columns it lacks are added, and a column of a type that does not fit stops the migration with the reason.
DO $$
DECLARE
    misfit text;
BEGIN
    SELECT string_agg(format('workflow_generation_jobs.%s is %s, expected %s', e.col, format_type(a.atttypid, NULL), e.typ), '; ')
      INTO misfit
      FROM (VALUES ('id', 'uuid'), ('status', 'text'), ('prompt', 'text'), ('mode', 'text'), ('current_workflow', 'jsonb'),
                   ('execution_history', 'jsonb'), ('config', 'jsonb'), ('workflow_result', 'jsonb'), ('error_message', 'text'),
                   ('error_details', 'jsonb'), ('progress_percentage', 'integer'), ('current_phase', 'text'), ('progress_logs', 'jsonb'),
                   ('created_at', 'timestamp with time zone'), ('started_at', 'timestamp with time zone'),
                   ('finished_at', 'timestamp with time zone'), ('duration_ms', 'integer'), ('worker_id', 'text'),
                   ('retry_count', 'integer'), ('max_retries', 'integer'), ('observability', 'jsonb'))
           AS e (col, typ)
      JOIN pg_class c ON c.relname = 'workflow_generation_jobs' AND c.relnamespace = '{schema}'::regnamespace
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = e.col AND NOT a.attisdropped
     WHERE format_type(a.atttypid, NULL) <> e.typ;
    IF misfit IS NOT NULL THEN
        RAISE EXCEPTION 'a table of that name exists and cannot be adopted: %', misfit
              USING HINT = 'Rename it, or set database.schema to a schema of its own.';
    END IF;
END $$;

CREATE TABLE IF NOT EXISTS {schema}.workflow_generation_jobs (
    id                  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id             uuid,
    status              text NOT NULL DEFAULT 'pending'
                        CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')),
    prompt              text NOT NULL,
    mode                text NOT NULL DEFAULT 'create' CHECK (mode IN ('create', 'edit')),
    current_workflow    jsonb,
    execution_history   jsonb DEFAULT '[]',
    config              jsonb DEFAULT '{}',
    workflow_result     jsonb,
    error_message       text,
    error_details       jsonb,
    progress_percentage int DEFAULT 0 CHECK (progress_percentage BETWEEN 0 AND 100),
    current_phase       text CHECK (current_phase IN ('analyze', 'node_selection', 'workflow_generation', 'node_configuration', 'validation')),
    progress_logs       jsonb DEFAULT '[]',
    created_at          timestamptz NOT NULL DEFAULT now(),
    started_at          timestamptz,
    finished_at         timestamptz,
    duration_ms         int,
    worker_id           text,
    retry_count         int DEFAULT 0,
    max_retries         int DEFAULT 3,
    observability       jsonb DEFAULT '{}'
);
ALTER TABLE {schema}.workflow_generation_jobs
    ADD COLUMN IF NOT EXISTS user_id             uuid,
    ADD COLUMN IF NOT EXISTS current_workflow    jsonb,
    ADD COLUMN IF NOT EXISTS execution_history   jsonb DEFAULT '[]',
    ADD COLUMN IF NOT EXISTS config              jsonb DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS workflow_result     jsonb,
    ADD COLUMN IF NOT EXISTS error_message       text,
    ADD COLUMN IF NOT EXISTS error_details       jsonb,
    ADD COLUMN IF NOT EXISTS progress_percentage int DEFAULT 0,
    ADD COLUMN IF NOT EXISTS current_phase       text,
    ADD COLUMN IF NOT EXISTS progress_logs       jsonb DEFAULT '[]',
    ADD COLUMN IF NOT EXISTS started_at          timestamptz,
    ADD COLUMN IF NOT EXISTS finished_at         timestamptz,
    ADD COLUMN IF NOT EXISTS duration_ms         int,
    ADD COLUMN IF NOT EXISTS worker_id           text,
    ADD COLUMN IF NOT EXISTS retry_count         int DEFAULT 0,
    ADD COLUMN IF NOT EXISTS max_retries         int DEFAULT 3,
    ADD COLUMN IF NOT EXISTS observability       jsonb DEFAULT '{}';
CREATE INDEX IF NOT EXISTS workflow_generation_jobs_user_idx ON {schema}.workflow_generation_jobs (user_id);
CREATE INDEX IF NOT EXISTS workflow_generation_jobs_status_idx ON {schema}.workflow_generation_jobs (status);
CREATE INDEX IF NOT EXISTS workflow_generation_jobs_created_idx ON {schema}.workflow_generation_jobs (created_at DESC);
CREATE INDEX IF NOT EXISTS workflow_generation_jobs_pending_idx ON {schema}.workflow_generation_jobs (status, created_at)
    WHERE status = 'pending';
CREATE INDEX IF NOT EXISTS workflow_generation_jobs_user_status_idx
    ON {schema}.workflow_generation_jobs (user_id, status, created_at DESC);

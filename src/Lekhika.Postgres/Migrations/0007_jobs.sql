-- Prompts that are to become workflows. Columns, types and checks are those of the platform that has such a table already, so that an
-- existing one is adopted in place.
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
CREATE INDEX IF NOT EXISTS workflow_generation_jobs_user_idx ON {schema}.workflow_generation_jobs (user_id);
CREATE INDEX IF NOT EXISTS workflow_generation_jobs_created_idx ON {schema}.workflow_generation_jobs (created_at DESC);
CREATE INDEX IF NOT EXISTS workflow_generation_jobs_pending_idx ON {schema}.workflow_generation_jobs (status, created_at)
    WHERE status = 'pending';
CREATE INDEX IF NOT EXISTS workflow_generation_jobs_user_status_idx
    ON {schema}.workflow_generation_jobs (user_id, status, created_at DESC);

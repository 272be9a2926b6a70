namespace Lekhika.Tests.Support;

/// <summary>The earlier platforms' tables, as their front ends and APIs know them, with a ledger of the writes to them.</summary>
internal static class Platforms
{
    public const string Lekhika = """
        CREATE TABLE engine_executions (
            id uuid PRIMARY KEY, engine_id uuid NOT NULL, user_id uuid NOT NULL, book_id uuid, execution_data jsonb DEFAULT '{}',
            status text DEFAULT 'running' CHECK (status IN ('running', 'completed', 'failed')), error_message text, execution_time_ms int,
            tokens_used int, cost_estimate numeric(10,4), created_at timestamptz DEFAULT now(), completed_at timestamptz,
            input_data jsonb NOT NULL DEFAULT '{}');
        CREATE TABLE user_engines (
            id uuid PRIMARY KEY, user_id uuid NOT NULL, engine_id uuid NOT NULL, name text, api_key text UNIQUE, status text DEFAULT 'active',
            UNIQUE (user_id, engine_id));
        CREATE TABLE writes (id uuid, status text, progress text);
        CREATE FUNCTION note_write() RETURNS trigger LANGUAGE plpgsql AS $f$
        BEGIN
            INSERT INTO public.writes VALUES (NEW.id, NEW.status, NEW.execution_data->>'progress');
            RETURN NULL;
        END $f$;
        CREATE TRIGGER zz_ledger AFTER UPDATE ON engine_executions FOR EACH ROW EXECUTE FUNCTION note_write();
        """;

    public const string Synthral = """
        CREATE TABLE workflow (
            id uuid PRIMARY KEY, name varchar(255) NOT NULL, is_active bool NOT NULL, version int NOT NULL, graph_config json, owner_id uuid NOT NULL);
        CREATE TABLE workflowexecution (
            id uuid PRIMARY KEY, workflow_id uuid NOT NULL REFERENCES workflow ON DELETE CASCADE, workflow_version int NOT NULL,
            execution_id varchar(255) NOT NULL UNIQUE, status varchar(50) NOT NULL, started_at timestamp NOT NULL, completed_at timestamp,
            error_message text, current_node_id varchar(255), execution_state json, retry_count int NOT NULL, next_retry_at timestamp);
        CREATE TABLE workflowsignal (
            id uuid PRIMARY KEY, execution_id uuid NOT NULL REFERENCES workflowexecution ON DELETE CASCADE, signal_type varchar(100) NOT NULL,
            signal_data json, received_at timestamp NOT NULL, processed bool NOT NULL);
        """;

    /// <summary>What the front end of the Lekhika platform asks every ten seconds.</summary>
    public const string Poll = "SELECT id, status, execution_data, completed_at, created_at FROM engine_executions WHERE id = $1";
}

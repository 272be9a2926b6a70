using System.Collections.Frozen;

namespace Lekhika.Daemon.Configuration;

/// <summary>Environment variables of the earlier workers that set nothing here, and what took their place.</summary>
internal static class OlderVariables
{
    private const string NoQueue = "there is no Redis and no separate queue any more: PostgreSQL holds the queue (section database)";
    private const string NoApi = "the daemon connects to PostgreSQL itself, not through the Supabase API: set database.url";

    public static readonly FrozenDictionary<string, string> Replacements = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["REDIS_URL"] = NoQueue,
        ["QUEUE_ENABLED"] = NoQueue,
        ["QUEUE_PROVIDER"] = NoQueue,
        ["QUEUE_PREFIX"] = NoQueue,
        ["QUEUE_CONCURRENCY"] = "worker.concurrency took its place",
        ["QUEUE_ATTEMPTS"] = "worker.max_retries took its place",
        ["QUEUE_BACKOFF_MS"] = "worker.retry_delay took its place",
        ["SUPABASE_URL"] = NoApi,
        ["SUPABASE_SERVICE_ROLE_KEY"] = NoApi,
        ["SUPABASE_SERVICE_KEY"] = NoApi,
        ["SUPABASE_ANON_KEY"] = NoApi,
        ["SUPABASE_DB_PASSWORD"] = "database.password took its place (better as the credential database-password)",
        ["POSTGRES_SERVER"] = "database.host, database.port, database.name, database.user and database.password took the place of POSTGRES_*",
        ["MAX_CONCURRENT_EXECUTIONS"] = "worker.concurrency took its place",
        ["WORKFLOW_MAX_RETRIES"] = "worker.max_retries took its place",
        ["WORKFLOW_RETRY_BACKOFF_MULTIPLIER"] = "worker.retry_delay doubles by itself; a node's own retry policy can say otherwise",
        ["WORKFLOW_HISTORY_RETENTION_DAYS"] = "the section retention took its place",
        ["WORKFLOW_NODE_TIMEOUT_SECONDS"] = "limits.node_timeout took its place",
        ["CODE_EXECUTION_TIMEOUT"] = "there is no code node; an external node type is configured in the section nodes",
        ["EXECUTION_TIMEOUT"] = "limits.execution_timeout took its place",
        ["POLL_INTERVAL"] = "worker.poll_interval took its place",
        ["API_SECRET_KEY"] = "auth.internal_secret took its place",
        ["ALLOWED_ORIGINS"] = "the daemon sends no CORS headers; a reverse proxy in front of it may",
    }.ToFrozenDictionary(StringComparer.Ordinal);
}

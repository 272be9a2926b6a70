using System.Collections.Frozen;

namespace Lekhika.Daemon.Http.OpenApi;

/// <summary>What the document says of a route beside its path and method.</summary>
/// <param name="Tag">The group it is shown in.</param>
/// <param name="Summary">One line.</param>
/// <param name="Success">The status of success.</param>
/// <param name="Query">Query parameters, separated by spaces; a <c>#</c> in front marks a whole number.</param>
/// <param name="Body">Name of the body's schema; null if it has none.</param>
/// <param name="Reply">Name of the reply's schema, or a media type; null for an object of its own.</param>
internal sealed record RouteFact(string Tag, string Summary, int Success = 200, string Query = "", string? Body = null, string? Reply = null);

/// <summary>The routes there are, by method and pattern. A route without an entry is still in the document, without a description.</summary>
internal static class RouteFacts
{
    public static FrozenDictionary<string, RouteFact> All { get; } = new Dictionary<string, RouteFact>(StringComparer.Ordinal)
    {
        ["GET /health"] = new("daemon", "Whether the process lives; does no I/O and needs no secret"),
        ["GET /health/ready"] = new("daemon", "Whether it can do its work: database, schema, model endpoints; 503 with reasons if not"),
        ["GET /metrics"] = new("daemon", "Metrics in Prometheus' text format", Reply: "text/plain"),
        ["GET /openapi.json"] = new("daemon", "This document"),
        ["GET /status"] = new("daemon", "This worker: capacity, active executions, lanes, models"),
        ["GET /workers"] = new("daemon", "All daemons that share the database", Reply: "Workers"),
        ["GET /queue"] = new("daemon", "How long the queue is, and how old", Reply: "Queue"),
        ["GET /"] = new("dashboard", "The dashboard", Reply: "text/html"),
        ["GET /ui/{name}"] = new("dashboard", "A file of the dashboard"),
        ["GET /session"] = new("dashboard", "Whether one is signed in, and as what"),
        ["POST /session"] = new("dashboard", "Signs in with the internal secret; answers with a session cookie"),
        ["DELETE /session"] = new("dashboard", "Signs out"),

        ["POST /execute"] = new("executions", "Hands over a workflow to run; answered after it is durable. The same executionId again is the same execution", 202, Body: "ExecuteRequest", Reply: "Accepted"),
        ["GET /status/{id}"] = new("executions", "How an execution is, live where it runs", Query: "fields"),
        ["GET /status/{id}/events"] = new("executions", "The same as it happens, as server-sent events; Last-Event-ID resumes", Query: "fields", Reply: "text/event-stream"),
        ["GET /executions"] = new("executions", "Executions, newest first. A page may be short and go on all the same: follow next until it is null", Query: "status workflow user model q cursor #limit", Reply: "Executions"),
        ["GET /executions/counts"] = new("executions", "How many executions there are of each status", Reply: "Counts"),
        ["GET /executions/{id}"] = new("executions", "All about one execution: the fields of its status with inputs, result and definition"),
        ["GET /executions/{id}/steps"] = new("executions", "The records of a run, and what is under way", Query: "#run #cursor #limit", Reply: "Steps"),
        ["GET /executions/{id}/timeline"] = new("executions", "What happened, in order", Query: "#cursor #limit", Reply: "Timeline"),
        ["POST /stop/{id}"] = new("control", "Stops it for good; calls in flight are aborted"),
        ["POST /pause/{id}"] = new("control", "Holds it; calls in flight end first"),
        ["POST /resume/{id}"] = new("control", "Lets it go on: a paused one in its run, a finished one in a new run", Body: "RetryRequest"),
        ["POST /resume"] = new("control", "The same, with the executionId in the body", Body: "RetryRequest"),
        ["POST /retry/{id}"] = new("control", "Opens a new run, which takes over what succeeded", Body: "RetryRequest"),
        ["POST /executions/{id}/signals"] = new("control", "Sends a named payload to a waiting execution", 202, Body: "Object"),
        ["GET /executions/{id}/signals"] = new("control", "The signals that were sent to an execution"),
        ["POST /approve/{id}"] = new("control", "Approves what it waits for", Body: "Object"),
        ["POST /reject/{id}"] = new("control", "Rejects what it waits for", Body: "Object"),

        ["POST /workflows/validate"] = new("workflows", "Everything that is wrong with a definition, at once", Body: "Definition"),
        ["GET /workflows"] = new("workflows", "Stored workflows, without their definitions", Query: "q cursor #limit"),
        ["POST /workflows"] = new("workflows", "Stores a workflow; refused with all problems if it cannot run", 201, Body: "Workflow", Reply: "Workflow"),
        ["GET /workflows/{id}"] = new("workflows", "A stored workflow with its definition", Reply: "Workflow"),
        ["PUT /workflows/{id}"] = new("workflows", "Changes what the body names; with version, only if that is the present one", Body: "Workflow", Reply: "Workflow"),
        ["POST /workflows/{id}/execute"] = new("workflows", "Runs a stored workflow", 202, Body: "ExecuteRequest", Reply: "Accepted"),

        ["GET /schedules"] = new("schedules", "Schedules of workflows", Query: "workflow cursor #limit"),
        ["POST /schedules"] = new("schedules", "Adds a schedule", 201, Body: "Object"),
        ["GET /schedules/{id}"] = new("schedules", "One schedule"),
        ["DELETE /schedules/{id}"] = new("schedules", "Removes a schedule"),
        ["POST /schedules/{id}/pause"] = new("schedules", "Holds a schedule"),
        ["POST /schedules/{id}/resume"] = new("schedules", "Lets a schedule go on"),

        ["GET /jobs"] = new("jobs", "Generation jobs, newest first", Query: "status cursor #limit", Reply: "Jobs"),
        ["POST /jobs"] = new("jobs", "Asks for a workflow to be made of a prompt", 202, Body: "Object"),
        ["POST /jobs/poll"] = new("jobs", "Looks for pending jobs at once"),
        ["GET /jobs/{id}/status"] = new("jobs", "How a job is, with its log and result"),
        ["GET /jobs/{id}/events"] = new("jobs", "The same as it happens, as server-sent events", Reply: "text/event-stream"),
        ["POST /jobs/{id}/process"] = new("jobs", "Begins a job at once", 202),
        ["POST /jobs/{id}/cancel"] = new("jobs", "Stops a job"),
        ["DELETE /jobs/{id}"] = new("jobs", "Stops a job"),
        ["GET /workflow-status/{id}"] = new("jobs", "How the workflow of a job is"),
    }.ToFrozenDictionary(StringComparer.Ordinal);
}

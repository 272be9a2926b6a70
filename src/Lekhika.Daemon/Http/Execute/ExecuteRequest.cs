using System.Text.Json;
using Lekhika.Daemon.Configuration;

namespace Lekhika.Daemon.Http.Execute;

/// <summary>The body of <c>POST /execute</c>, checked field by field. Everything wrong is found before anything is refused.</summary>
internal sealed record ExecuteRequest
{
    private const int MaxTextLength = 512;
    private const double LongestTimeout = 366 * 24 * 3600.0;

    /// <summary>Null lets the daemon choose.</summary>
    public Guid? ExecutionId { get; private init; }

    public Guid? WorkflowId { get; private init; }

    /// <summary>The inline definition; an object.</summary>
    public JsonElement? Workflow { get; private init; }

    /// <summary>An object.</summary>
    public JsonElement? Inputs { get; private init; }

    /// <summary>An object.</summary>
    public JsonElement? Options { get; private init; }

    public string? UserId { get; private init; }

    public string? UserEngineId { get; private init; }

    public string? MasterEngineId { get; private init; }

    /// <summary>Key of the caller's account; checked where that is configured, and never kept.</summary>
    public Secret? ApiKey { get; private init; }

    public int Priority { get; private init; }

    public DateTimeOffset? RunAt { get; private init; }

    /// <summary>Longest time to the end, from its submission or <see cref="RunAt"/>.</summary>
    public TimeSpan? Timeout { get; private init; }

    public string? IdempotencyKey { get; private init; }

    /// <summary>Reads the fields.</summary>
    /// <param name="root">The body, an object.</param>
    /// <param name="problems">Takes what is wrong.</param>
    /// <param name="missing">Takes the names of fields that must be there and are not.</param>
    /// <param name="stored">The workflow that the path names; the body then names none, or the same.</param>
    public static ExecuteRequest Read(JsonElement root, List<FieldProblem> problems, List<string> missing, Guid? stored = null)
    {
        var fields = new FieldReader(root, "", problems);
        var options = fields.Object("options");
        var optional = options is { } inner ? new FieldReader(inner, "options.", problems) : null;
        var workflow = fields.Object("workflow");
        var workflowId = fields.Id("workflowId");
        if (stored is not null)
        {
            if (workflow is not null || (workflowId is not null && workflowId != stored))
                problems.Add(new FieldProblem(workflow is not null ? "workflow" : "workflowId", "is given beside the workflow that the path names; leave it out", "ambiguous"));
            workflowId = stored;
        }
        else if (!FieldReader.IsThere(root, "workflow") && !FieldReader.IsThere(root, "workflowId"))
        {
            missing.Add("workflow");
            problems.Add(new FieldProblem(
                "workflow", "is missing; expected an object with nodes and edges, or workflowId with the id of a stored workflow", "missing"));
        }
        else if (workflow is not null && workflowId is not null)
        {
            problems.Add(new FieldProblem("workflowId", "is given beside workflow; send one of them", "ambiguous"));
        }

        return new ExecuteRequest
        {
            ExecutionId = fields.Id("executionId"),
            WorkflowId = workflowId,
            Workflow = workflow,
            Inputs = fields.Object("inputs"),
            Options = options,
            UserId = fields.Text("userId", MaxTextLength),
            UserEngineId = fields.Text("userEngineId", MaxTextLength),
            MasterEngineId = fields.Text("masterEngineId", MaxTextLength),
            ApiKey = fields.Text("lekhikaApiKey", MaxTextLength) is { } key ? new Secret(key) : null,
            Priority = fields.Integer("priority") ?? optional?.Integer("priority") ?? 0,
            RunAt = fields.Time("runAt") ?? optional?.Time("runAt"),
            Timeout = fields.Seconds("timeoutSeconds", LongestTimeout) ?? optional?.Seconds("timeoutSeconds", LongestTimeout),
            IdempotencyKey = fields.Text("idempotencyKey", MaxTextLength) ?? optional?.Text("idempotencyKey", MaxTextLength),
        };
    }
}

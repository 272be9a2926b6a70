namespace Lekhika.Workflows;

/// <summary>
/// The registry of error codes: the same word in SQL (<c>error_details.code</c>), HTTP (<c>code</c>), events and logs.
/// Every code is explained in <c>docs/errors.md</c>; a test holds the two together.
/// </summary>
public static class ErrorCodes
{
    /// <summary>The definition cannot be read or does not validate.</summary>
    public const string InvalidWorkflow = "invalid_workflow";

    /// <summary>No workflow with that id, or neither id nor inline definition.</summary>
    public const string WorkflowNotFound = "workflow_not_found";

    /// <summary>The workflow is there but switched off (<c>is_active = false</c>).</summary>
    public const string WorkflowInactive = "workflow_inactive";

    /// <summary>An input is missing or has the wrong type.</summary>
    public const string InvalidInput = "invalid_input";

    /// <summary>An expression or template could not be evaluated.</summary>
    public const string ExpressionFailed = "expression_failed";

    /// <summary>An expression exceeded its cost budget.</summary>
    public const string ExpressionTooCostly = "expression_too_costly";

    /// <summary>No endpoint has the model.</summary>
    public const string ModelNotFound = "model_not_found";

    /// <summary>The model endpoint could not be reached or was overloaded for too long.</summary>
    public const string ModelUnavailable = "model_unavailable";

    /// <summary>The model endpoint refused the request.</summary>
    public const string ModelRefused = "model_refused";

    /// <summary>The model's stream broke off or reported an error.</summary>
    public const string ModelFailed = "model_failed";

    /// <summary>The reply was cut by its length limit where JSON was needed, or is not the JSON asked for.</summary>
    public const string ModelInvalidOutput = "model_invalid_output";

    /// <summary>The model asked for a tool call, which this daemon does not run.</summary>
    public const string ModelToolCall = "model_tool_call";

    /// <summary>The HTTP call of a node failed.</summary>
    public const string HttpFailed = "http_failed";

    /// <summary>The HTTP call answered with a status that was not expected.</summary>
    public const string HttpStatus = "http_status";

    /// <summary>The address of an HTTP call is not allowed.</summary>
    public const string HttpForbidden = "http_forbidden";

    /// <summary>A node uses a secret that its user, workflow or host may not use.</summary>
    public const string SecretNotAllowed = "secret_not_allowed";

    /// <summary>A node uses a secret that the configuration does not have, or has no value for.</summary>
    public const string SecretNotFound = "secret_not_found";

    /// <summary>A node took longer than its time limit.</summary>
    public const string NodeTimeout = "node_timeout";

    /// <summary>The execution took longer than its time limit.</summary>
    public const string ExecutionTimeout = "execution_timeout";

    /// <summary>A map has more items, or a loop more passes, than its limit allows.</summary>
    public const string IterationLimit = "iteration_limit";

    /// <summary>The execution that a sub-workflow node started failed, was cancelled or was deleted.</summary>
    public const string SubworkflowFailed = "subworkflow_failed";

    /// <summary>Sub-workflows are nested deeper than the limit.</summary>
    public const string SubworkflowDepth = "subworkflow_depth";

    /// <summary>The inputs of an execution are larger than the limit.</summary>
    public const string InputsTooLarge = "inputs_too_large";

    /// <summary>An output is larger than the limit.</summary>
    public const string OutputTooLarge = "output_too_large";

    /// <summary>The execution was stopped or cancelled.</summary>
    public const string Cancelled = "cancelled";

    /// <summary>An execution with the same id or idempotency key has run and was removed by retention.</summary>
    public const string AlreadyRan = "already_ran";

    /// <summary>The execution brought down daemon after daemon.</summary>
    public const string CrashLoop = "crash_loop";

    /// <summary>The workflow asked to stop with an error.</summary>
    public const string StoppedByWorkflow = "stopped_by_workflow";

    /// <summary>No valid workflow could be generated within the retries of the job.</summary>
    public const string GenerationFailed = "generation_failed";

    /// <summary>Generation is switched off, or its catalogue file cannot be used.</summary>
    public const string GenerationDisabled = "generation_disabled";

    /// <summary>What was recorded could not be stored or read back.</summary>
    public const string BadData = "bad_data";

    /// <summary>A fault of the daemon itself.</summary>
    public const string InternalError = "internal_error";
}

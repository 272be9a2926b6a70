namespace Lekhika.Daemon.Http;

/// <summary>A request that cannot be served as it is; the boundary turns it into a reply.</summary>
/// <param name="status">The HTTP status, 400 or above.</param>
/// <param name="code">A stable word.</param>
/// <param name="message">For people: what, where, what was expected, how to mend it.</param>
internal sealed class RequestException(int status, string code, string message) : Exception(message)
{
    public int Status { get; } = status;

    public string Code { get; } = code;

    /// <summary>Names of fields that are missing.</summary>
    public IReadOnlyList<string> Required { get; init; } = [];

    /// <summary>Everything that is wrong, each with its place.</summary>
    public IReadOnlyList<FieldProblem> Problems { get; init; } = [];

    /// <summary>The execution it is about.</summary>
    public Guid? ExecutionId { get; init; }

    /// <summary>The status that execution has.</summary>
    public string? ExecutionStatus { get; init; }

    /// <summary>The approvals that are open, where an answer was for none of them or for more than one; a JSON array.</summary>
    public System.Text.Json.JsonElement? Gates { get; init; }

    public static RequestException NotFound(Guid id) =>
        new(StatusCodes.Status404NotFound, HttpErrorCodes.ExecutionNotFound, $"There is no execution {id}.") { ExecutionId = id };
}

/// <summary>One thing that is wrong in a request.</summary>
/// <param name="Path">JSON path in the body, such as <c>workflow.nodes[3].type</c>.</param>
/// <param name="Message">What is wrong and what was expected.</param>
/// <param name="Code">A stable word; null if there is nothing to tell apart.</param>
/// <param name="Suggestion">A name that may have been meant.</param>
internal sealed record FieldProblem(string Path, string Message, string? Code = null, string? Suggestion = null);

/// <summary>The codes that only HTTP uses; the others are in <see cref="Workflows.ErrorCodes"/>.</summary>
internal static class HttpErrorCodes
{
    public const string InvalidRequest = "invalid_request";
    public const string MalformedJson = "malformed_json";
    public const string InvalidId = "invalid_id";
    public const string Unauthorized = "unauthorized";
    public const string Forbidden = "forbidden";
    public const string InvalidApiKey = "invalid_api_key";
    public const string ReadOnly = "read_only";
    public const string TooManyAttempts = "too_many_attempts";
    public const string RouteNotFound = "route_not_found";
    public const string ExecutionNotFound = "execution_not_found";
    public const string ScheduleNotFound = "schedule_not_found";
    public const string InvalidSchedule = "invalid_schedule";
    public const string JobNotFound = "job_not_found";
    public const string MethodNotAllowed = "method_not_allowed";
    public const string Conflict = "conflict";
    public const string AlreadyFinished = "already_finished";
    public const string NoOpenApproval = "no_open_approval";
    public const string AmbiguousApproval = "ambiguous_approval";
    public const string BodyTooLarge = "body_too_large";
    public const string UnsupportedBody = "unsupported_body";
    public const string Unavailable = "unavailable";
    public const string DatabaseUnavailable = "database_unavailable";
    public const string TooManyStreams = "too_many_streams";

    /// <summary>The code of a reply that has only a status.</summary>
    public static string Of(int status) => status switch
    {
        StatusCodes.Status401Unauthorized => Unauthorized,
        StatusCodes.Status403Forbidden => Forbidden,
        StatusCodes.Status404NotFound => RouteNotFound,
        StatusCodes.Status405MethodNotAllowed => MethodNotAllowed,
        StatusCodes.Status413PayloadTooLarge => BodyTooLarge,
        StatusCodes.Status415UnsupportedMediaType => UnsupportedBody,
        >= 500 => Workflows.ErrorCodes.InternalError,
        _ => InvalidRequest,
    };
}

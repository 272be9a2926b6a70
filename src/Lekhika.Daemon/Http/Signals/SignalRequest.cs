using System.Text.Json;
using Lekhika.Daemon.Http.Execute;
using Lekhika.Daemon.Nodes;

namespace Lekhika.Daemon.Http.Signals;

/// <summary>The body of <c>POST /executions/{id}/signals</c>, <c>/approve/{id}</c> and <c>/reject/{id}</c>. Names are taken in either spelling.</summary>
internal sealed record SignalRequest
{
    private const int LongestName = 200;
    private const int LongestKey = 2000;
    private const int LongestComment = 100_000;

    /// <summary>Name of the signal; null where none was given.</summary>
    public string? Name { get; private init; }

    public string? StepKey { get; private init; }

    public string? NodeId { get; private init; }

    /// <summary>The answer to an approval, where it is neither approve nor reject.</summary>
    public string? Answer { get; private init; }

    public string? Comment { get; private init; }

    public string? By { get; private init; }

    /// <summary>Any JSON value; owns its memory.</summary>
    public JsonElement? Payload { get; private init; }

    /// <summary>What the caller calls the signal: taken once.</summary>
    public string? SignalId { get; private init; }

    /// <summary>Reads the body; one that is not there says nothing.</summary>
    public static async Task<SignalRequest> ReadAsync(HttpContext context, bool needsName)
    {
        using var body = HasBody(context) ? await RequestBody.ReadAsync(context) : null;
        return Read(body?.Root ?? JsonConstants.EmptyObject, needsName);
    }

    /// <summary>The id under which it is stored: a UUID as it is, any other text turned into one within its execution.</summary>
    public Guid IdFor(Guid execution, TimeProvider time) => SignalId is null
        ? Guid.CreateVersion7(time.GetUtcNow())
        : RouteId.TryParse(SignalId, out var id) ? id : DerivedId.Of(execution, "signal:" + SignalId);

    private static bool HasBody(HttpContext context) =>
        context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestBodyDetectionFeature>()?.CanHaveBody ?? true;

    private static SignalRequest Read(JsonElement root, bool needsName)
    {
        var problems = new List<FieldProblem>();
        var missing = new List<string>();
        var fields = new FieldReader(root, "", problems);
        var name = fields.Text("name", LongestName);
        if (name is not null && name.Any(char.IsControl)) problems.Add(new FieldProblem("name", "holds control characters; expected a plain name", "invalid"));
        if (needsName && name is null && problems.Count == 0)
        {
            missing.Add("name");
            problems.Add(new FieldProblem("name", "is missing; expected the name of the signal, a text of 1 to 200 characters", "missing"));
        }

        var request = new SignalRequest
        {
            Name = name,
            StepKey = fields.Text("step_key", LongestKey) ?? fields.Text("stepKey", LongestKey),
            NodeId = fields.Text("node_id", LongestKey) ?? fields.Text("nodeId", LongestKey),
            Answer = fields.Text("answer", LongestName),
            Comment = fields.Text("comment", LongestComment),
            By = fields.Text("by", LongestName) ?? fields.Text("userId", LongestName),
            Payload = root.TryGetProperty("payload", out var payload) && payload.ValueKind != JsonValueKind.Null ? payload.Clone() : null,
            SignalId = fields.Text("signal_id", LongestName) ?? fields.Text("signalId", LongestName),
        };
        if (problems.Count == 0) return request;
        throw new RequestException(
            StatusCodes.Status400BadRequest, HttpErrorCodes.InvalidRequest, $"The signal cannot be sent: {problems[0].Path} {problems[0].Message}.")
        {
            Required = missing,
            Problems = problems,
        };
    }
}

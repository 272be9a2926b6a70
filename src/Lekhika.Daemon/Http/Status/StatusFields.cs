namespace Lekhika.Daemon.Http.Status;

/// <summary>Which parts of a status are wanted: all of them, or those that <c>?fields=</c> names, or all but those it names with a minus.</summary>
internal sealed class StatusFields
{
    private static readonly string[] Known =
    [
        "status", "message", "startTime", "endTime", "duration", "error", "error_message", "errorDetails", "progress", "currentNode", "currentNodeId",
        "nodeName", "nodeType", "nodeIndex", "totalNodes", "nodeResults", "processingSteps", "currentOutput", "aiResponse", "aiThinking",
        "thinkingHistory", "currentPhase", "phaseDescription", "providerName", "allFormats", "storyContext", "tokens", "words", "cost",
        "chaptersGenerated", "chapterInfo", "result", "failedNodeId", "failedNodeName", "resumable", "checkpointData", "userInput", "workflow", "timestamp",
        "runNumber", "waitingFor", "queuePosition", "steps", "workerId", "workflowId", "userId", "priority", "createdAt", "tokensIn", "tokensOut", "runAt",
    ];

    private readonly HashSet<string>? _only;
    private readonly HashSet<string> _without;

    private StatusFields(HashSet<string>? only, HashSet<string> without) => (_only, _without) = (only, without);

    public static StatusFields All { get; } = new(null, []);

    public bool Has(string name) => (_only is null || _only.Contains(name)) && !_without.Contains(name);

    /// <exception cref="RequestException">A name is not known.</exception>
    public static StatusFields Of(HttpRequest request)
    {
        var text = request.Query["fields"].ToString();
        if (text.Length == 0) return All;
        HashSet<string>? only = null;
        var without = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var name = entry.TrimStart('-');
            if (!Known.Contains(name, StringComparer.Ordinal))
            {
                throw new RequestException(
                    StatusCodes.Status400BadRequest, HttpErrorCodes.InvalidRequest,
                    $"fields names '{(name.Length > 60 ? name[..60] : name)}', which a status does not have; it has: {string.Join(", ", Known)}.");
            }

            if (entry[0] == '-') without.Add(name);
            else (only ??= new HashSet<string>(StringComparer.Ordinal)).Add(name);
        }

        return new StatusFields(only, without);
    }
}

using System.Globalization;
using System.Text.Json;
using Lekhika.Daemon.Dispatch;
using Lekhika.Daemon.Http.Execute;
using Lekhika.Daemon.Nodes;
using Lekhika.Postgres.Jobs;

namespace Lekhika.Daemon.Http.Jobs;

/// <summary>The body of <c>POST /jobs</c>, in snake_case as the table has it or in camelCase as editors send it.</summary>
internal static class NewJobRequest
{
    private const int LongestPrompt = 100_000;

    /// <exception cref="RequestException">It is not what was expected; everything that is wrong is named.</exception>
    public static NewGenerationJob Read(JsonElement root, int maxRetries, Guid freshId)
    {
        var problems = new List<FieldProblem>();
        var missing = new List<string>();
        var fields = new FieldReader(root, "", problems);
        var prompt = fields.Text(Named(root, "prompt", "description"), LongestPrompt);
        if (string.IsNullOrWhiteSpace(prompt) && problems.Count == 0)
        {
            missing.Add("prompt");
            problems.Add(new FieldProblem("prompt", "is missing; say what the workflow is to do", "missing"));
        }

        var mode = fields.Text("mode", 20) ?? "create";
        if (mode is not ("create" or "edit")) problems.Add(new FieldProblem("mode", $"is \"{mode}\"; expected create or edit", "invalid"));
        var currentName = Named(root, "current_workflow", "currentWorkflow");
        var current = fields.Object(currentName);
        if (mode == "edit" && current is null && !FieldReader.IsThere(root, currentName))
        {
            missing.Add("current_workflow");
            problems.Add(new FieldProblem("current_workflow", "is missing; mode edit changes a workflow that is given", "missing"));
        }

        if (current is { } workflow && workflow.EnumerateObject().Any()
            && !(workflow.TryGetProperty("nodes", out var nodes) && nodes.ValueKind == JsonValueKind.Array))
        {
            problems.Add(new FieldProblem(currentName, "has no array \"nodes\"", "invalid"));
        }

        var historyName = Named(root, "execution_history", "executionHistory");
        var history = root.Get(historyName);
        if (history is { ValueKind: not JsonValueKind.Array }) problems.Add(new FieldProblem(historyName, "is not an array; expected one", "invalid"));
        var config = fields.Object("config");
        var retries = fields.Integer(Named(root, "max_retries", "maxRetries"));
        if (retries is < 0 or > 20) problems.Add(new FieldProblem("max_retries", "is out of range; expected a whole number from 0 to 20", "invalid"));
        var user = fields.Id(Named(root, "user_id", "userId"));
        var id = fields.Id(Named(root, "id", "job_id"));
        foreach (var (name, value) in ((string, JsonElement?)[])[("prompt", root.Get(Named(root, "prompt", "description"))), (currentName, current), (historyName, history), ("config", config)])
        {
            if (value is { } element && Unstorable.IsIn(element))
                problems.Add(new FieldProblem(name, "holds a NUL character or half a surrogate pair, which the database cannot store", "invalid"));
        }

        if (problems.Count > 0) throw Refusal(problems, missing);
        return new NewGenerationJob
        {
            Id = id ?? freshId,
            UserId = user,
            Prompt = prompt!,
            Mode = mode,
            CurrentWorkflow = current?.GetRawText(),
            ExecutionHistory = history?.GetRawText(),
            Config = config?.GetRawText(),
            MaxRetries = retries ?? maxRetries,
        };
    }

    private static string Named(JsonElement root, string name, string other) =>
        !FieldReader.IsThere(root, name) && FieldReader.IsThere(root, other) ? other : name;

    private static RequestException Refusal(List<FieldProblem> problems, List<string> missing)
    {
        var more = problems.Count > 1 ? string.Create(CultureInfo.InvariantCulture, $" (and {problems.Count - 1} more, see problems)") : "";
        return new RequestException(
            StatusCodes.Status400BadRequest, HttpErrorCodes.InvalidRequest, $"The job cannot be taken: {problems[0].Path} {problems[0].Message}{more}")
        {
            Required = missing,
            Problems = problems,
        };
    }
}

using System.Globalization;
using System.Text.Json;
using Lekhika.Daemon.Http.Execute;
using Lekhika.Daemon.Schedules;

namespace Lekhika.Daemon.Http.Schedules;

/// <summary>The body of <c>POST /schedules</c>. Fields have the names of the columns; the spelling of the other routes (<c>workflowId</c>) is read too.</summary>
internal static class ScheduleRequest
{
    private const int MaxTextLength = 512;

    /// <summary>Reads it.</summary>
    /// <exception cref="RequestException">Something is missing or wrong; everything is named.</exception>
    public static ScheduleDraft Read(JsonElement root)
    {
        var problems = new List<FieldProblem>();
        var missing = new List<string>();
        var fields = new FieldReader(root, "", problems);
        var workflow = fields.Id(Name(root, "workflow_id", "workflowId"));
        if (!FieldReader.IsThere(root, Name(root, "workflow_id", "workflowId"))) Missing("workflow_id", "the id of a stored workflow");
        var cron = fields.Text("cron", MaxTextLength);
        if (cron is null && problems.All(static problem => problem.Path != "cron")) Missing("cron", "five or six fields, such as \"0 9 * * MON-FRI\"");

        var draft = new ScheduleDraft
        {
            WorkflowId = workflow ?? default,
            Cron = cron ?? "* * * * *",
            Timezone = fields.Text("timezone", MaxTextLength) ?? "UTC",
            CatchUp = fields.Text(Name(root, "catch_up", "catchUp"), MaxTextLength) ?? ScheduleDraft.DefaultCatchUp,
            CatchUpLimit = fields.Integer(Name(root, "catch_up_limit", "catchUpLimit")) ?? ScheduleDraft.DefaultCatchUpLimit,
            Inputs = fields.Object("inputs")?.GetRawText(),
            UserId = fields.Text(Name(root, "user_id", "userId"), MaxTextLength),
            Priority = fields.Integer("priority") ?? 0,
            IsActive = IsActive(root, problems),
        };
        foreach (var (field, problem) in draft.Problems()) problems.Add(new FieldProblem(field, problem, "invalid"));
        if (problems.Count == 0) return draft;

        var more = problems.Count > 1 ? string.Create(CultureInfo.InvariantCulture, $" (and {problems.Count - 1} more, see problems)") : "";
        throw new RequestException(
            StatusCodes.Status400BadRequest,
            missing.Count == 0 && problems.All(static problem => problem.Path is "cron" or "timezone") ? HttpErrorCodes.InvalidSchedule : HttpErrorCodes.InvalidRequest,
            $"The schedule cannot be made: {problems[0].Path} {problems[0].Message}{more}")
        {
            Required = missing,
            Problems = problems,
        };

        void Missing(string name, string expected)
        {
            missing.Add(name);
            problems.Add(new FieldProblem(name, $"is missing; expected {expected}", "missing"));
        }
    }

    private static bool IsActive(JsonElement root, List<FieldProblem> problems)
    {
        var name = Name(root, "is_active", "isActive");
        if (!FieldReader.IsThere(root, name)) return true;
        var value = root.GetProperty(name);
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False) return value.GetBoolean();
        problems.Add(new FieldProblem(name, $"is {JsonKinds.Describe(value)}; expected true or false", "invalid"));
        return true;
    }

    private static string Name(JsonElement root, string name, string other) => !root.TryGetProperty(name, out _) && root.TryGetProperty(other, out _) ? other : name;
}

using System.Globalization;
using System.Text;
using System.Text.Json;
using Lekhika.Daemon.Cli;
using Lekhika.Daemon.Doctor;
using Lekhika.Daemon.Http;
using Lekhika.Daemon.Schedules;
using Lekhika.Postgres;
using Lekhika.Postgres.Schedules;
using Npgsql;

namespace Lekhika.Daemon.Hosting;

/// <summary>The work behind <c>lekhika-daemon schedule</c>. Exit codes: 0 done, 1 no such schedule or workflow or no database, 2 arguments that cannot be read.</summary>
internal sealed class ScheduleHandler(CommandContext context, ScheduleBook book, bool json)
{
    private const int Page = 500;

    /// <summary>Opens the database, does the work, and turns what the database says into messages.</summary>
    public static async Task<int> RunAsync(
        CommandContext context, LoadedConfiguration configuration, bool json, Func<ScheduleHandler, CancellationToken, Task<int>> work,
        CancellationToken cancellationToken)
    {
        var options = configuration.Options.Database;
        await using var database = new Database(options.ConnectionString.Reveal(), options.Schema);
        try
        {
            return await work(new ScheduleHandler(context, new ScheduleBook(new ScheduleStore(database)), json), cancellationToken);
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn
            or PostgresErrorCodes.InvalidSchemaName)
        {
            ProblemReport.Error(context, $"{options.Display}, schema {options.Schema}: the schema is not there or too old; run `lekhika-daemon migrate`");
            return ExitCodes.Failure;
        }
        catch (Exception exception) when (exception is NpgsqlException or System.Net.Sockets.SocketException or TimeoutException)
        {
            var (message, fix) = new DatabaseAdvice(options).Of(exception);
            ProblemReport.Error(context, $"{options.Display}: {message}; fix: {fix}");
            return ExitCodes.Failure;
        }
    }

    public async Task<int> AddAsync(string workflow, ScheduleDraft draft, CancellationToken cancellationToken)
    {
        var problems = draft.Problems();
        if (draft.Inputs is { } inputs && !IsObject(inputs)) problems.Add(("inputs", "is no JSON object; expected one such as '{\"topic\": \"rain\"}'"));
        foreach (var (field, problem) in problems) ProblemReport.Error(context, $"--{field.Replace('_', '-')}: {problem}");
        if (problems.Count > 0) return ExitCodes.Usage;

        if (await WorkflowAsync(workflow, cancellationToken) is not { } id) return ExitCodes.Failure;
        if (await book.AddAsync(draft with { WorkflowId = id }, cancellationToken) is not { } row)
        {
            ProblemReport.Error(context, $"there is no workflow {id}");
            return ExitCodes.Failure;
        }

        await ShowAsync(row, "added");
        return ExitCodes.Success;
    }

    public async Task<int> ListAsync(string? workflow, CancellationToken cancellationToken)
    {
        Guid? only = null;
        if (workflow is not null && (only = await WorkflowAsync(workflow, cancellationToken)) is null) return ExitCodes.Failure;
        var rows = new List<ScheduleRow>();
        for (List<ScheduleRow> page; ; rows.AddRange(page))
        {
            page = await book.Store.ListAsync(only, rows.Count == 0 ? null : rows[^1].Id, Page, cancellationToken);
            if (page.Count > 0) continue;
            break;
        }

        if (json)
        {
            await context.Output.WriteLineAsync(Json(writer =>
            {
                writer.WriteStartArray("schedules"u8);
                foreach (var row in rows)
                {
                    writer.WriteStartObject();
                    ScheduleJson.Write(writer, row);
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
            }));
            return ExitCodes.Success;
        }

        if (rows.Count == 0) await context.Output.WriteLineAsync("no schedules");
        foreach (var row in rows) await ShowAsync(row, ScheduleJson.StateOf(row));
        return ExitCodes.Success;
    }

    public async Task<int> RemoveAsync(Guid id, CancellationToken cancellationToken)
    {
        if (!await book.Store.RemoveAsync(id, cancellationToken)) return NotFound(id);
        await context.Output.WriteLineAsync(json ? Json(writer => writer.WriteString("id"u8, id)) : $"removed  {id}");
        return ExitCodes.Success;
    }

    public async Task<int> SetActiveAsync(Guid id, bool isActive, CancellationToken cancellationToken)
    {
        try
        {
            if (await book.SetActiveAsync(id, isActive, cancellationToken) is not { } row) return NotFound(id);
            await ShowAsync(row, isActive ? "resumed" : "paused");
            return ExitCodes.Success;
        }
        catch (UnreadableScheduleException exception)
        {
            ProblemReport.Error(context, $"schedule {id} cannot be resumed: {exception.Message}");
            return ExitCodes.Failure;
        }
    }

    private int NotFound(Guid id)
    {
        ProblemReport.Error(context, $"there is no schedule {id}; `lekhika-daemon schedule list` shows them");
        return ExitCodes.Failure;
    }

    private async Task<Guid?> WorkflowAsync(string workflow, CancellationToken cancellationToken)
    {
        if (RouteId.TryParse(workflow, out var id)) return id;
        var named = await book.Store.WorkflowsNamedAsync(workflow, cancellationToken);
        if (named.Count == 1) return named[0];
        ProblemReport.Error(context, named.Count == 0
            ? $"there is no workflow of the name '{workflow}'"
            : $"several workflows have the name '{workflow}'; give the id of one");
        return null;
    }

    private async Task ShowAsync(ScheduleRow row, string word)
    {
        if (json)
        {
            await context.Output.WriteLineAsync(Json(writer => ScheduleJson.Write(writer, row)));
            return;
        }

        var next = row.NextRunAt is { } at ? at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) : "-";
        var workflow = string.IsNullOrEmpty(row.WorkflowName) ? row.WorkflowId.ToString() : row.WorkflowName;
        await context.Output.WriteLineAsync($"{word,-11}  {row.Id}  {row.Cron,-16}  {row.Timezone,-16}  next {next,-20}  {workflow}");
        if (row.Error is { } error) await context.Output.WriteLineAsync($"             {error}");
    }

    private static string Json(Action<Utf8JsonWriter> properties)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, JsonReply.WriterOptions with { Indented = true }))
        {
            writer.WriteStartObject();
            properties(writer);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static bool IsObject(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}

using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Lekhika.Daemon.Hosting;

namespace Lekhika.Daemon.Cli.Remote;

/// <summary><c>lekhika-daemon list</c>: executions, newest first.</summary>
internal static class ListCommand
{
    private const int PageSize = 200;

    public static Command Create(CommandContext context)
    {
        var status = new Option<string?>("--status") { Description = "Only of these statuses, separated by commas: pending, running, waiting, paused, completed, failed, cancelled", HelpName = "LIST" };
        var workflow = new Option<string?>("--workflow") { Description = "Only of the workflow of that id or name", HelpName = "ID" };
        var user = new Option<string?>("--user") { Description = "Only of that user", HelpName = "ID" };
        var model = new Option<string?>("--model") { Description = "Only where that model answered", HelpName = "NAME" };
        var query = new Option<string?>("--query") { Description = "Only where the workflow's name, the error, the user or the beginning of the id has this", HelpName = "TEXT" };
        var limit = new Option<int>("--limit") { Description = "At most so many", HelpName = "NUMBER", DefaultValueFactory = static _ => 20 };
        var command = new RemoteCommand(context, "list", "List executions, newest first", async (session, token) =>
        {
            var parsed = session.Parsed;
            var most = parsed.GetValue(limit);
            if (most is < 1 or > 100_000) throw new RemoteException(ExitCodes.Usage, "--limit wants a number from 1 to 100000.");
            var filter = new (string Name, string? Value)[]
            {
                ("status", parsed.GetValue(status)), ("workflow", parsed.GetValue(workflow)), ("user", parsed.GetValue(user)),
                ("model", parsed.GetValue(model)), ("q", parsed.GetValue(query)),
            };
            var items = await ItemsAsync(session, filter, most, token);
            if (session.Json)
            {
                context.Output.Write($"[{string.Join(",\n ", items.Select(static item => item.GetRawText()))}]\n");
                return ExitCodes.Success;
            }

            var table = new RemoteTable("id", "status", "workflow", "%", "created", "took", "error or node");
            foreach (var item in items)
            {
                table.Add(
                    item.Text("executionId"), item.Text("status"), item.Text("workflowName"), (item.Number("progress") ?? 0).ToString("0", CultureInfo.InvariantCulture),
                    item.Time("createdAt", session.Time), JsonReading.Duration(item.Number("durationMs")), Short(item.Text("error") ?? item.Text("currentNodeId")));
            }

            table.Write(context);
            return ExitCodes.Success;
        })
        {
            Examples =
            [
                ("what failed", "lekhika-daemon list --status failed"),
                ("all of one user's, for another program", "lekhika-daemon list --user 42 --limit 1000 --json"),
            ],
        };
        foreach (var option in new Option[] { status, workflow, user, model, query, limit }) command.Add(option);
        return command;
    }

    private static async Task<List<JsonElement>> ItemsAsync(RemoteSession session, (string Name, string? Value)[] filter, int most, CancellationToken cancellationToken)
    {
        var given = string.Concat(filter.Where(static one => one.Value is not null).Select(static one => $"&{one.Name}={RemoteCommands.Escape(one.Value!)}"));
        var items = new List<JsonElement>();
        string? cursor = null;
        do
        {
            // A page may be short and the list go on: rare ones are far apart.
            var size = Math.Min(PageSize, most - items.Count).ToString(CultureInfo.InvariantCulture);
            var page = await session.Daemon.GetAsync($"/executions?limit={size}{given}{(cursor is null ? "" : $"&cursor={cursor}")}", cancellationToken);
            items.AddRange(page.Items("executions"));
            cursor = page.Text("next");
        }
        while (cursor is not null && items.Count < most);

        return items;
    }

    private static string? Short(string? text) => text is { Length: > 60 } ? text[..59] + "…" : text;
}

using System.CommandLine;
using System.Text.Json;
using Lekhika.Daemon.Hosting;

namespace Lekhika.Daemon.Cli.Remote;

/// <summary><c>lekhika-daemon logs ID</c>: what an execution did, in the order it happened.</summary>
internal static class LogsCommand
{
    public static Command Create(CommandContext context)
    {
        var id = RemoteCommands.Id();
        var command = new RemoteCommand(context, "logs", "What an execution did, step by step", async (session, token) =>
        {
            string? cursor = null;
            var path = $"/executions/{RemoteCommands.Escape(session.Parsed.GetRequiredValue(id))}/timeline";
            var entries = new List<JsonElement>();
            do
            {
                var page = await session.Daemon.GetAsync(cursor is null ? path : $"{path}?cursor={cursor}", token);
                entries.AddRange(page.Items("entries"));
                cursor = page.Text("next");
            }
            while (cursor is not null);

            if (session.Json)
            {
                context.Output.Write($"[{string.Join(",\n ", entries.Select(static entry => entry.GetRawText()))}]\n");
                return ExitCodes.Success;
            }

            var table = new RemoteTable("time", "what", "took");
            foreach (var entry in entries) table.Add(entry.Time("at", session.Time), entry.Text("text"), JsonReading.Duration(entry.Number("durationMs")));
            table.Write(context);
            return ExitCodes.Success;
        })
        {
            Examples = [("why it failed", "lekhika-daemon logs 0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e")],
        };
        command.Add(id);
        return command;
    }
}

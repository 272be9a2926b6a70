using System.CommandLine;
using System.Text.Json;
using Lekhika.Daemon.Hosting;

namespace Lekhika.Daemon.Cli.Remote;

/// <summary><c>stop</c>, <c>pause</c>, <c>resume</c>, <c>retry</c>, <c>approve</c>, <c>reject</c>: one execution is told what to do.</summary>
internal static class ControlCommands
{
    public static IEnumerable<Command> All(CommandContext context) =>
    [
        Create(context, "stop", "Stop an execution for good; calls in flight are aborted", "lekhika-daemon stop 0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e"),
        Create(context, "pause", "Hold an execution; calls in flight end first", "lekhika-daemon pause 0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e"),
        Create(context, "resume", "Let a paused execution go on", "lekhika-daemon resume 0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e"),
        Create(
            context, "retry", "Run a finished execution again; what succeeded before is taken over", "lekhika-daemon retry 0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e --from draft",
            new("--from", "from", "NODE", "The node to begin with [default: the one that failed]"),
            new("--instruction", "instruction", "TEXT", "What to do differently, for the model")),
        Decision(context, "approve", "Approve what an execution waits for"),
        Decision(context, "reject", "Reject what an execution waits for"),
    ];

    private static RemoteCommand Decision(CommandContext context, string verb, string description) => Create(
        context, verb, description, $"lekhika-daemon {verb} 0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e --comment \"well done\"",
        new("--node", "nodeId", "NODE", "Which approval, where several wait"),
        new("--comment", "comment", "TEXT", "What to tell the workflow"),
        new("--by", "by", "NAME", "Who decides"));

    private static RemoteCommand Create(CommandContext context, string verb, string description, string example, params Field[] fields)
    {
        var id = RemoteCommands.Id();
        var options = fields.Select(static field => (field.Name, Option: new Option<string?>(field.Flag) { Description = field.Description, HelpName = field.Value })).ToArray();
        var command = new RemoteCommand(context, verb, description, async (session, token) =>
        {
            var execution = session.Parsed.GetRequiredValue(id);
            var reply = await session.Daemon.PostAsync($"/{verb}/{RemoteCommands.Escape(execution)}", writer =>
            {
                foreach (var (name, option) in options)
                {
                    if (session.Parsed.GetValue(option) is { } value) writer.WriteString(name, value);
                }
            }, token);
            if (session.Json) session.WriteJson(reply);
            else context.Output.Write(JsonReading.Plain(reply.Text("message") ?? $"{execution}: {StatusOf(reply) ?? "done"}") + "\n");
            return ExitCodes.Success;
        })
        {
            Examples = [($"{verb} one", example)],
        };
        command.Add(id);
        foreach (var (_, option) in options) command.Add(option);
        return command;
    }

    private static string? StatusOf(JsonElement reply) => reply.Text("status") ?? (reply.Member("status") is { } status ? status.Text("status") : null);

    /// <summary>A field of the request that an option gives.</summary>
    private sealed record Field(string Flag, string Name, string Value, string Description);
}

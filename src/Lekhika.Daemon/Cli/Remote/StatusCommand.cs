using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Lekhika.Daemon.Hosting;

namespace Lekhika.Daemon.Cli.Remote;

/// <summary><c>lekhika-daemon status [ID]</c>: how an execution is, or the daemon itself.</summary>
internal static class StatusCommand
{
    public static Command Create(CommandContext context)
    {
        var id = new Argument<string?>("ID") { Description = "An execution; without one, the daemon itself", Arity = ArgumentArity.ZeroOrOne };
        var watch = new Option<bool>("--watch") { Description = "Show progress until the execution ends; exit 1 unless it completed" };
        var command = new RemoteCommand(context, "status", "How the daemon is, or an execution", async (session, token) =>
        {
            var wanted = session.Parsed.GetValue(id);
            if (session.Parsed.GetValue(watch))
            {
                return wanted is null
                    ? throw new RemoteException(ExitCodes.Usage, "--watch wants the ID of an execution.")
                    : await new Following(session).EndAsync(wanted, isShown: true, token);
            }

            var reply = await session.Daemon.GetAsync(wanted is null ? "/status" : $"/executions/{RemoteCommands.Escape(wanted)}", token);
            if (session.Json) session.WriteJson(reply);
            else if (wanted is null) WriteDaemon(context, reply);
            else WriteExecution(session, reply);
            return ExitCodes.Success;
        })
        {
            Examples = [("the daemon", "lekhika-daemon status"), ("an execution, until it ends", "lekhika-daemon status 0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e --watch")],
        };
        command.Add(id);
        command.Add(watch);
        return command;
    }

    private static void WriteDaemon(CommandContext context, JsonElement reply)
    {
        var table = new RemoteTable("what", "value");
        table.Add("worker", $"{reply.Text("workerId")}, version {reply.Text("version")}");
        table.Add("status", reply.Text("status"));
        table.Add("slots in use", reply.Text("capacity"));
        table.Add("queued", Count(reply, "queued"));
        table.Add("waiting", Count(reply, "parked"));
        if (reply.Member("finished") is { } finished)
            table.Add("finished since start", $"{Count(finished, "completed")} completed, {Count(finished, "failed")} failed, {Count(finished, "cancelled")} cancelled");
        table.Add("up for", JsonReading.Duration(reply.Number("uptime") * 1000));
        table.Add("database", reply.Text("database"));
        foreach (var lane in reply.Items("lanes"))
            table.Add($"lane {lane.Text("model")}", $"{lane.Text("state")} on {lane.Text("endpoint")}, {Count(lane, "depth")} wait, {Count(lane, "inFlight")} in flight");
        table.Write(context);
    }

    private static void WriteExecution(RemoteSession session, JsonElement reply)
    {
        var table = new RemoteTable("what", "value");
        table.Add("execution", reply.Text("executionId"));
        table.Add("workflow", reply.Text("workflowName") ?? reply.Text("workflowId"));
        table.Add("status", reply.Text("status"));
        table.Add("progress", string.Create(CultureInfo.InvariantCulture, $"{reply.Number("progress") ?? 0:0.0} %"));
        table.Add("now", reply.Text("message"));
        table.Add("submitted", reply.Time("createdAt", session.Time));
        table.Add("started", reply.Time("startedAt", session.Time));
        table.Add("finished", reply.Time("finishedAt", session.Time));
        table.Add("took", JsonReading.Duration(reply.Number("durationMs")));
        table.Add("tokens", $"{Count(reply, "tokensIn")} read, {Count(reply, "tokensOut")} written");
        table.Add("run", Count(reply, "run"));
        table.Add("worker", reply.Text("workerId"));
        if (reply.Text("error") is { } error) table.Add("error", error);
        if (reply.Member("waitingFor") is { } waiting) table.Add("waits for", waiting.GetRawText());
        table.Write(session.Context);

        var steps = new RemoteTable("step", "type", "status", "attempt", "took", "error");
        var any = false;
        foreach (var step in reply.Items("steps"))
        {
            any = true;
            steps.Add(step.Text("key"), step.Text("type"), step.Text("status"), Count(step, "attempt"), JsonReading.Duration(step.Between("startedAt", "finishedAt")),
                step.Text("error") ?? (step.Member("error") is { } detail ? detail.Text("message") : null));
        }

        if (any) steps.Write(session.Context);
    }

    private static string Count(JsonElement owner, string name) => owner.Number(name)?.ToString("0", CultureInfo.InvariantCulture) ?? "?";
}

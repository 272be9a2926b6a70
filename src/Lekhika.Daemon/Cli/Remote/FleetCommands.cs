using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Doctor;
using Lekhika.Daemon.Hosting;
using Lekhika.Postgres;
using Lekhika.Postgres.Queue;
using Npgsql;

namespace Lekhika.Daemon.Cli.Remote;

/// <summary><c>lekhika-daemon jobs</c>: generation jobs, newest first.</summary>
internal static class JobsCommand
{
    public static Command Create(CommandContext context)
    {
        var status = new Option<string?>("--status") { Description = "Only of these statuses, separated by commas: pending, processing, completed, failed, cancelled", HelpName = "LIST" };
        var limit = new Option<int>("--limit") { Description = "At most so many, up to 200", HelpName = "NUMBER", DefaultValueFactory = static _ => 20 };
        var command = new RemoteCommand(context, "jobs", "List the generation jobs, newest first", async (session, token) =>
        {
            var size = session.Parsed.GetValue(limit).ToString(CultureInfo.InvariantCulture);
            var filter = session.Parsed.GetValue(status) is { } wanted ? $"&status={RemoteCommands.Escape(wanted)}" : "";
            var reply = await session.Daemon.GetAsync($"/jobs?limit={size}{filter}", token);
            if (session.Json)
            {
                session.WriteJson(reply);
                return ExitCodes.Success;
            }

            var table = new RemoteTable("id", "status", "%", "phase", "created", "took", "prompt or error");
            foreach (var job in reply.Items("jobs"))
            {
                table.Add(
                    job.Text("jobId"), job.Text("status"), (job.Number("progress") ?? 0).ToString("0", CultureInfo.InvariantCulture), job.Text("phase"),
                    job.Time("createdAt", session.Time), JsonReading.Duration(job.Number("durationMs")), job.Text("error") ?? job.Text("prompt"));
            }

            table.Write(context);
            return ExitCodes.Success;
        })
        {
            Examples = [("what is under way", "lekhika-daemon jobs --status pending,processing")],
        };
        command.Add(status);
        command.Add(limit);
        return command;
    }
}

/// <summary><c>lekhika-daemon workers</c>: the daemons that share the database.</summary>
internal static class WorkersCommand
{
    public static Command Create(CommandContext context) => new RemoteCommand(context, "workers", "List the daemons that share the database", async (session, token) =>
    {
        var reply = await session.Daemon.GetAsync("/workers", token);
        if (session.Json)
        {
            session.WriteJson(reply);
            return ExitCodes.Success;
        }

        var table = new RemoteTable("worker", "alive", "held", "slots", "host", "url", "version", "since", "heartbeat");
        foreach (var worker in reply.Items("workers"))
        {
            table.Add(
                worker.Text("workerId"), worker.Member("alive") is { ValueKind: JsonValueKind.True } ? "yes" : "no", Count(worker, "held"), Count(worker, "slots"),
                worker.Text("host"), worker.Text("url"), worker.Text("version"), worker.Time("startedAt", session.Time), worker.Time("heartbeatAt", session.Time));
        }

        table.Write(context);
        return ExitCodes.Success;
    })
    {
        Examples = [("all of them", "lekhika-daemon workers")],
    };

    private static string Count(JsonElement owner, string name) => owner.Number(name)?.ToString("0", CultureInfo.InvariantCulture) ?? "";
}

/// <summary><c>lekhika-daemon queue [repair]</c>.</summary>
internal static class QueueCommand
{
    private const int Batch = 5000;

    public static Command Create(CommandContext context)
    {
        var command = new RemoteCommand(context, "queue", "How long the queue is", async (session, token) =>
        {
            var reply = await session.Daemon.GetAsync("/queue", token);
            if (session.Json)
            {
                session.WriteJson(reply);
                return ExitCodes.Success;
            }

            var table = new RemoteTable("place", "executions");
            foreach (var place in (ReadOnlySpan<string>)["ready", "held", "parked"]) table.Add(place, reply.Number(place)?.ToString("0", CultureInfo.InvariantCulture));
            table.Add("oldest waits", JsonReading.Duration(reply.Number("oldestAgeMs")));
            table.Write(context);
            return ExitCodes.Success;
        })
        {
            Examples = [("how long it is", "lekhika-daemon queue"), ("after a restore", "lekhika-daemon queue repair")],
        };
        command.Add(Repair(context));
        return command;
    }

    // It asks the database, not a daemon: after a restore there may be none running, and running ones do no harm.
    private static ExampleCommand Repair(CommandContext context)
    {
        var json = new Option<bool>("--json") { Description = "Report in JSON" };
        var repair = new ExampleCommand("repair", "Give a place in the queue to unfinished executions that have none (after a restore, or replication without triggers)")
        {
            Examples = [("after a restore", "lekhika-daemon queue repair")],
        };
        repair.Add(json);
        repair.SetAction(async (parsed, cancellation) =>
        {
            if (LoadedConfiguration.Load(context, parsed, ConfigurationPurpose.Migrate) is not { } configuration) return ExitCodes.Configuration;
            ServiceUser.Become(configuration.File);
            return await Interruptible.RunAsync(token => RepairAsync(context, configuration.Options, parsed.GetValue(json), token), cancellation);
        });
        return repair;
    }

    private static async Task<int> RepairAsync(CommandContext context, DaemonOptions options, bool json, CancellationToken cancellationToken)
    {
        await using var database = new Database(options.Database.ConnectionString.Reveal(), options.Database.Schema);
        var facts = new QueueFacts(database);
        var placed = 0;
        try
        {
            long? last = 0;
            while (last is { } after)
            {
                (var found, last) = await facts.ReconcileAsync(after, Batch, cancellationToken);
                placed += found;
            }
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.UndefinedFunction or PostgresErrorCodes.InvalidSchemaName)
        {
            ProblemReport.Error(context, $"the schema of {database.Name} on {database.Host} is older than this program, or not there: run `lekhika-daemon migrate` first");
            return ExitCodes.Failure;
        }
        catch (Exception exception) when (Database.IsTransient(exception) || exception is NpgsqlException)
        {
            ProblemReport.Error(context, $"the database {database.Name} on {database.Host} cannot be used: {exception.Message}");
            return ExitCodes.Unavailable;
        }

        context.Output.Write(json
            ? string.Create(CultureInfo.InvariantCulture, $"{{\"placed\":{placed}}}\n")
            : placed == 0 ? "every unfinished execution has its place\n"
            : string.Create(CultureInfo.InvariantCulture, $"{placed} executions had no place in the queue and got one\n"));
        return ExitCodes.Success;
    }
}

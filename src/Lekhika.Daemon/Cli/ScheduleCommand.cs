using System.CommandLine;
using System.Globalization;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Doctor;
using Lekhika.Daemon.Hosting;
using Lekhika.Daemon.Http;
using Lekhika.Daemon.Schedules;

namespace Lekhika.Daemon.Cli;

/// <summary><c>lekhika-daemon schedule add|list|remove|pause|resume</c>: works on the database; no daemon needs to run.</summary>
internal static class ScheduleCommand
{
    public static Command Create(CommandContext context)
    {
        var json = new Option<bool>("--json") { Description = "Answer in JSON", Recursive = true };
        var command = new ExampleCommand("schedule", "Make, list and remove schedules: workflows that run by the clock")
        {
            Examples =
            [
                ("on working days at nine in Berlin", "lekhika-daemon schedule add haiku --cron \"0 9 * * MON-FRI\" --timezone Europe/Berlin"),
                ("all of them", "lekhika-daemon schedule list"),
            ],
        };
        command.Add(json);
        command.Add(Add(context, json));
        command.Add(List(context, json));
        command.Add(One(context, json, "remove", "Remove a schedule; its executions stay", static (handler, id, token) => handler.RemoveAsync(id, token)));
        command.Add(One(context, json, "pause", "Pause a schedule", static (handler, id, token) => handler.SetActiveAsync(id, isActive: false, token)));
        command.Add(One(
            context, json, "resume", "Resume a paused or quarantined schedule, from now on",
            static (handler, id, token) => handler.SetActiveAsync(id, isActive: true, token)));
        return command;
    }

    private static ExampleCommand Add(CommandContext context, Option<bool> json)
    {
        var workflow = new Argument<string>("WORKFLOW") { Description = "Id or name of a stored workflow" };
        var cron = new Option<string>("--cron")
        {
            Description = "Five fields, six with seconds first, or @hourly, @daily, …",
            Required = true,
            HelpName = "EXPRESSION",
        };
        var zone = new Option<string>("--timezone") { Description = "IANA zone whose clock it follows", DefaultValueFactory = static _ => "UTC", HelpName = "ZONE" };
        var catchUp = new Option<string>("--catch-up")
        {
            Description = "Slots that no daemon was there for: skip, once, or all",
            DefaultValueFactory = static _ => ScheduleDraft.DefaultCatchUp,
            HelpName = "POLICY",
        };
        var limit = new Option<int>("--catch-up-limit")
        {
            Description = "Most slots that \"all\" makes up for",
            DefaultValueFactory = static _ => ScheduleDraft.DefaultCatchUpLimit,
            HelpName = "N",
        };
        var inputs = new Option<string?>("--inputs") { Description = "Inputs of each execution: a JSON object", HelpName = "JSON" };
        var user = new Option<string?>("--user") { Description = "Whose the executions are", HelpName = "ID" };
        var priority = new Option<int>("--priority") { Description = "Higher goes first", HelpName = "N" };
        var command = new ExampleCommand("add", "Make a schedule")
        {
            Examples = [("every quarter of an hour", "lekhika-daemon schedule add haiku --cron \"*/15 * * * *\" --inputs '{\"topic\": \"rain\"}'")],
        };
        command.Add(workflow);
        foreach (var option in (Option[])[cron, zone, catchUp, limit, inputs, user, priority]) command.Add(option);
        command.SetAction((parsed, cancellation) => RunAsync(context, parsed, json, (handler, token) =>
        {
            var draft = new ScheduleDraft
            {
                WorkflowId = default,
                Cron = parsed.GetValue(cron)!,
                Timezone = parsed.GetValue(zone)!,
                CatchUp = parsed.GetValue(catchUp)!,
                CatchUpLimit = parsed.GetValue(limit),
                Inputs = parsed.GetValue(inputs),
                UserId = parsed.GetValue(user),
                Priority = parsed.GetValue(priority),
            };
            return handler.AddAsync(parsed.GetValue(workflow)!, draft, token);
        }, cancellation));
        return command;
    }

    private static ExampleCommand List(CommandContext context, Option<bool> json)
    {
        var workflow = new Option<string?>("--workflow") { Description = "Only those of this workflow", HelpName = "WORKFLOW" };
        var command = new ExampleCommand("list", "List the schedules with their next slots") { Examples = [("for a script", "lekhika-daemon schedule list --json")] };
        command.Add(workflow);
        command.SetAction((parsed, cancellation) =>
            RunAsync(context, parsed, json, (handler, token) => handler.ListAsync(parsed.GetValue(workflow), token), cancellation));
        return command;
    }

    private static ExampleCommand One(
        CommandContext context, Option<bool> json, string name, string description, Func<ScheduleHandler, Guid, CancellationToken, Task<int>> run)
    {
        var id = new Argument<string>("ID") { Description = "The schedule, as listed" };
        id.Validators.Add(static result =>
        {
            if (result.Tokens.Count == 1 && !RouteId.TryParse(result.Tokens[0].Value, out _))
            {
                result.AddError($"'{result.Tokens[0].Value}' is not the id of a schedule; expected a UUID, as `schedule list` shows them.");
            }
        });
        var command = new ExampleCommand(name, description)
        {
            Examples = [(description.ToLower(CultureInfo.InvariantCulture), $"lekhika-daemon schedule {name} 0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e")],
        };
        command.Add(id);
        command.SetAction((parsed, cancellation) => RunAsync(context, parsed, json, (handler, token) =>
        {
            // Anything but a UUID was refused when the command line was read.
            return run(handler, RouteId.TryParse(parsed.GetValue(id), out var schedule) ? schedule : Guid.Empty, token);
        }, cancellation));
        return command;
    }

    private static async Task<int> RunAsync(
        CommandContext context, ParseResult parsed, Option<bool> json, Func<ScheduleHandler, CancellationToken, Task<int>> work, CancellationToken cancellation)
    {
        if (LoadedConfiguration.Load(context, parsed, ConfigurationPurpose.Migrate) is not { } configuration) return ExitCodes.Configuration;
        ServiceUser.Become(configuration.File);
        return await Interruptible.RunAsync(token => ScheduleHandler.RunAsync(context, configuration, parsed.GetValue(json), work, token), cancellation);
    }
}

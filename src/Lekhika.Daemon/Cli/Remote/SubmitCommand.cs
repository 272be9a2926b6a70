using System.CommandLine;
using System.Text.Json;
using Lekhika.Daemon.Hosting;
using Lekhika.Daemon.Http;

namespace Lekhika.Daemon.Cli.Remote;

/// <summary><c>lekhika-daemon submit FILE|WORKFLOW_ID</c>.</summary>
internal static class SubmitCommand
{
    public static Command Create(CommandContext context)
    {
        var what = new Argument<string>("WORKFLOW") { Description = "A workflow file in JSON (- reads standard input), or the id of a stored workflow" };
        var input = new Option<string[]>("--input") { Description = "An input; repeat it for several", HelpName = "KEY=VALUE", DefaultValueFactory = static _ => [] };
        var inputs = new Option<string?>("--inputs") { Description = "A JSON file with an object of inputs; - reads standard input", HelpName = "FILE" };
        var id = new Option<string?>("--id") { Description = "Id of the execution; the same again is never a second run", HelpName = "UUID" };
        var user = new Option<string?>("--user") { Description = "Whose execution it is", HelpName = "ID" };
        var priority = new Option<int?>("--priority") { Description = "Higher goes first; 0 is normal", HelpName = "NUMBER" };
        var wait = new Option<bool>("--wait") { Description = "Wait for the end and write the result; exit 1 unless it completed" };
        var watch = new Option<bool>("--watch") { Description = "The same, showing progress on standard error" };
        var command = new RemoteCommand(context, "submit", "Hand a workflow to the daemon", async (session, token) =>
        {
            var parsed = session.Parsed;
            var name = parsed.GetRequiredValue(what);
            var isStored = RouteId.TryParse(name, out var stored);
            JsonElement? definition = null;
            if (!isStored && (definition = await WorkflowFile.ReadAsync(context, name, token)) is null) return ExitCodes.Failure;
            JsonElement? file = null;
            if (parsed.GetValue(inputs) is { } path)
            {
                if (await WorkflowFile.ReadAsync(context, path, token) is not { } read) return ExitCodes.Failure;
                if (read.ValueKind != JsonValueKind.Object) throw new RemoteException(ExitCodes.Usage, $"--inputs wants an object of names and values; {path} holds something else.");
                file = read;
            }

            var reply = await session.Daemon.PostAsync(isStored ? $"/workflows/{stored:D}/execute" : "/execute", writer =>
            {
                if (parsed.GetValue(id) is { } given) writer.WriteString("executionId", given);
                if (definition is { } document) Write(writer, "workflow", document);
                if (parsed.GetValue(user) is { } whose) writer.WriteString("userId", whose);
                if (parsed.GetValue(priority) is { } rank) writer.WriteNumber("priority", rank);
                WriteInputs(writer, file, parsed.GetRequiredValue(input));
            }, token);
            var execution = reply.Text("executionId") ?? "";
            if (!parsed.GetValue(wait) && !parsed.GetValue(watch))
            {
                if (session.Json) session.WriteJson(reply);
                else context.Output.Write(execution + "\n");
                return ExitCodes.Success;
            }

            context.Error.WriteLine($"execution {execution}");
            return await new Following(session).EndAsync(execution, parsed.GetValue(watch), token);
        })
        {
            Examples =
            [
                ("and go on with something else", "lekhika-daemon submit haiku.json --input topic=rain"),
                ("and see it work", "lekhika-daemon submit haiku.json --input topic=rain --watch"),
                ("a stored workflow", "lekhika-daemon submit 0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e --inputs topic.json --wait"),
            ],
        };
        input.Validators.Add(result =>
        {
            foreach (var token in result.Tokens.Where(static token => token.Value.IndexOf('=', StringComparison.Ordinal) <= 0))
                result.AddError($"--input wants KEY=VALUE, such as --input topic=rain; got \"{token.Value}\".");
        });
        command.Add(what);
        foreach (var option in new Option[] { input, inputs, id, user, priority, wait, watch }) command.Add(option);
        return command;
    }

    // A value is text, as it is for `try`: types are the trigger's business.
    private static void WriteInputs(Utf8JsonWriter writer, JsonElement? file, string[] pairs)
    {
        if (file is null && pairs.Length == 0) return;
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in pairs)
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            given[pair[..equals]] = pair[(equals + 1)..];
        }

        writer.WriteStartObject("inputs");
        if (file is { } all)
        {
            foreach (var property in all.EnumerateObject().Where(property => !given.ContainsKey(property.Name))) property.WriteTo(writer);
        }

        foreach (var (name, value) in given) writer.WriteString(name, value);
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, string name, JsonElement value)
    {
        writer.WritePropertyName(name);
        value.WriteTo(writer);
    }
}

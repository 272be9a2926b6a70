using System.CommandLine;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Doctor;
using Lekhika.Daemon.Hosting;

namespace Lekhika.Daemon.Cli;

/// <summary><c>lekhika-daemon doctor</c>: everything that can be wrong with an installation, each with its fix.</summary>
internal static class DoctorCommand
{
    public static Command Create(CommandContext context)
    {
        var json = new Option<bool>("--json") { Description = "Report in JSON on standard output" };
        var url = new Option<string?>("--url") { Description = "The URL that callers use; asks through the proxy as well", HelpName = "PUBLIC_URL" };
        var run = new Option<bool>("--run") { Description = "Run a small execution from end to end" };
        var caller = new Option<string?>("--caller-secret-file") { Description = "File with the secret that a caller has, to compare; - reads standard input", HelpName = "FILE" };
        var command = new ExampleCommand("doctor", "Find out what is wrong with the installation and what mends it; exit 1 if anything failed, 78 if the configuration is invalid")
        {
            Examples =
            [
                ("everything on this machine", "sudo lekhika-daemon doctor"),
                ("through the proxy, with an execution", "sudo lekhika-daemon doctor --url https://workflows.example.org --run"),
                ("does the backend have the same secret?", "printf %s \"$INTERNAL_API_SECRET\" | sudo lekhika-daemon doctor --caller-secret-file -"),
            ],
        };
        command.Add(json);
        command.Add(url);
        command.Add(run);
        command.Add(caller);
        command.Validators.Add(result =>
        {
            if (result.GetValue(url) is { } text && Target(text) is null)
            {
                result.AddError($"--url '{text}' is not an http:// or https:// URL, such as https://workflows.example.org");
            }
        });
        command.SetAction((parsed, cancellation) => Interruptible.RunAsync(
            async token =>
            {
                string? secret;
                try
                {
                    secret = parsed.GetValue(caller) switch
                    {
                        null => null,
                        "-" => await context.Input.ReadToEndAsync(token),
                        { } path => await File.ReadAllTextAsync(path, token),
                    };
                }
                catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
                {
                    ProblemReport.Error(context, $"--caller-secret-file cannot be read: {exception.Message}");
                    return ExitCodes.Usage;
                }

                var arguments = new DoctorArguments(
                    parsed.GetValue(json), parsed.GetValue(url) is { } text ? Target(text) : null, parsed.GetValue(run), secret);
                var sources = context.Gather(parsed.GetValue(context.ConfigOption), context.Flags);
                return await Examination.RunAsync(context.Output, sources, arguments, TimeProvider.System, token);
            },
            cancellation));
        return command;
    }

    private static Uri? Target(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Query.Length == 0 ? url : null;
}

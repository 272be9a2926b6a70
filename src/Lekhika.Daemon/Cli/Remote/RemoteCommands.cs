using System.CommandLine;

namespace Lekhika.Daemon.Cli.Remote;

/// <summary>All commands that ask a running daemon.</summary>
internal static class RemoteCommands
{
    public static IEnumerable<Command> All(CommandContext context) =>
    [
        SubmitCommand.Create(context),
        StatusCommand.Create(context),
        ListCommand.Create(context),
        LogsCommand.Create(context),
        .. ControlCommands.All(context),
        JobsCommand.Create(context),
        WorkersCommand.Create(context),
        QueueCommand.Create(context),
    ];

    /// <summary>The id of an execution, as every command takes it.</summary>
    public static Argument<string> Id() => new("ID") { Description = "The execution" };

    /// <summary>A path with a value in it.</summary>
    public static string Escape(string value) => Uri.EscapeDataString(value);
}

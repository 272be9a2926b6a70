namespace Lekhika.Daemon.Diagnostics;

/// <summary>What reads the console.</summary>
internal enum ConsoleTarget
{
    /// <summary>A person: short times, colours.</summary>
    Terminal,

    /// <summary>A file or another program: whole times, plain lines.</summary>
    Pipe,

    /// <summary>journald, which adds times itself and takes a priority such as <c>&lt;4&gt;</c> at the start of a line.</summary>
    Journal,
}

/// <summary>Finds out what reads standard output or standard error.</summary>
internal static class ConsoleTargets
{
    public static ConsoleTarget OfOutput() => Of(1, Console.IsOutputRedirected);

    public static ConsoleTarget OfError() => Of(2, Console.IsErrorRedirected);

    /// <summary>Whether colours are welcome on a terminal (https://no-color.org, and terminals without them).</summary>
    public static bool AllowsColour(Func<string, string?> variable) =>
        string.IsNullOrEmpty(variable("NO_COLOR")) && variable("TERM") is not "dumb";

    /// <summary>Whether the stream that a link such as <c>socket:[1234]</c> points to is the one named by <c>$JOURNAL_STREAM</c> (device:inode).</summary>
    /// <remarks>The variable is inherited by children whose output goes elsewhere, so it is not enough alone; an unknown link is trusted.</remarks>
    internal static bool IsJournal(string? journalStream, string? link)
    {
        var colon = journalStream?.IndexOf(':', StringComparison.Ordinal) ?? -1;
        return colon >= 0 && (link is null || link == $"socket:[{journalStream![(colon + 1)..]}]");
    }

    private static ConsoleTarget Of(int descriptor, bool isRedirected)
    {
        var journal = Environment.GetEnvironmentVariable("JOURNAL_STREAM");
        if (isRedirected && journal is not null && IsJournal(journal, LinkOf(descriptor)))
        {
            return ConsoleTarget.Journal;
        }

        return isRedirected ? ConsoleTarget.Pipe : ConsoleTarget.Terminal;
    }

    private static string? LinkOf(int descriptor)
    {
        try
        {
            return new FileInfo($"/proc/self/fd/{descriptor}").LinkTarget;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

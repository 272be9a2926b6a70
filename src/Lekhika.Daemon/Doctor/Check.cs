namespace Lekhika.Daemon.Doctor;

/// <summary>What came of a check.</summary>
internal enum CheckStatus
{
    /// <summary>It is well.</summary>
    Ok,

    /// <summary>It works, but somebody should know.</summary>
    Warning,

    /// <summary>It does not work; the check has a fix.</summary>
    Failed,

    /// <summary>It was not looked at; the message says why.</summary>
    Skipped,
}

/// <summary>One finding.</summary>
/// <param name="Name">What was looked at: one word, the same for ever, for scripts.</param>
/// <param name="Status">What came of it.</param>
/// <param name="Message">What was found, for people; never a secret.</param>
/// <param name="Fix">What to do; there for everything that failed.</param>
internal sealed record Check(string Name, CheckStatus Status, string Message, string? Fix = null)
{
    public static Check Ok(string name, string message) => new(name, CheckStatus.Ok, message);

    public static Check Warning(string name, string message, string fix) => new(name, CheckStatus.Warning, message, fix);

    public static Check Failed(string name, string message, string fix) => new(name, CheckStatus.Failed, message, fix);

    public static Check Skipped(string name, string message) => new(name, CheckStatus.Skipped, message);
}

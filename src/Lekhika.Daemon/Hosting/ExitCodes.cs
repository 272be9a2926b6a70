namespace Lekhika.Daemon.Hosting;

/// <summary>What the process ends with. Part of the interface: scripts and systemd units (RestartPreventExitStatus=78) rely on it.</summary>
internal static class ExitCodes
{
    /// <summary>Done.</summary>
    public const int Success = 0;

    /// <summary>It was tried and failed.</summary>
    public const int Failure = 1;

    /// <summary>The command line cannot be understood.</summary>
    public const int Usage = 2;

    /// <summary>No daemon answers, or it cannot serve just now (EX_UNAVAILABLE); trying again later may help.</summary>
    public const int Unavailable = 69;

    /// <summary>The configuration is invalid (EX_CONFIG); starting again will not help.</summary>
    public const int Configuration = 78;
}

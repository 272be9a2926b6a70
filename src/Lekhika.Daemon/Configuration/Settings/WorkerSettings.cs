using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Lekhika.Daemon.Configuration;

internal static class WorkerSettings
{
    public static readonly Setting<string> StateDirectory = new("worker", "state_directory", SettingTypes.FilePath)
    {
        Description = "Folder for finished results that could not be written yet; one daemon at a time uses it.",
        DefaultNote = "$STATE_DIRECTORY, else $XDG_STATE_HOME/lekhika-daemon, else ~/.local/state/lekhika-daemon",
        ComputeDefault = scope => DefaultStateDirectory(scope.Sources),
    };

    public static readonly Setting<string> Id = new("worker", "id", SettingTypes.TextOf("1 to 128 characters without blanks", IsWorkerId))
    {
        Description = "Name of this daemon for people; claims do not depend on it.",
        DefaultNote = "the host's name and a hash of the state directory",
        ComputeDefault = scope => DefaultId(scope.Sources.HostName, scope.Effective(StateDirectory)),
        OlderNames = ["WORKER_ID"],
    };

    public static readonly Setting<int> Concurrency = new("worker", "concurrency", SettingTypes.Integer(1, 10_000))
    {
        Description = "Executions that advance at the same time. One that waits for a timer, a signal or a model's turn does not count.",
        Default = "10",
        OlderNames = ["WORKFLOW_WORKER_CONCURRENCY"],
    };

    public static readonly Setting<int> MaxClaimed = new("worker", "max_claimed", SettingTypes.Integer(1, 100_000))
    {
        Description = "Most executions claimed at the same time, those included that wait for a model's turn; not below worker.concurrency.",
        Default = "64",
        DefaultNote = "more if worker.concurrency is more",
        ComputeDefault = scope => int.TryParse(scope.Effective(Concurrency), CultureInfo.InvariantCulture, out var slots) && slots > 64
            ? slots.ToString(CultureInfo.InvariantCulture)
            : "64",
    };

    public static readonly Setting<int> MaxRetries = new("worker", "max_retries", SettingTypes.Integer(0, 100))
    {
        Description = "Retries of a failing node whose definition says nothing.",
        Default = "3",
        IsReloadable = true,
        OlderNames = [new("MAX_RETRIES", "which counted the first attempt too")],
    };

    public static readonly Setting<TimeSpan> RetryDelay = new("worker", "retry_delay", SettingTypes.Duration("0s", "1d"))
    {
        Description = "Wait before the first of those retries; each further one waits twice as long.",
        Default = "1s",
        IsReloadable = true,
        OlderNames = [new("RETRY_DELAY_BASE", "seconds")],
    };

    public static readonly Setting<TimeSpan> PollInterval = new("worker", "poll_interval", SettingTypes.Duration("50ms", "1m"))
    {
        Description = "How often the queue is looked at when nothing wakes the daemon.",
        Default = "1s",
    };

    public static readonly Setting<TimeSpan> PriorityAgeing = new("worker", "priority_ageing", SettingTypes.Duration("0s", "1d"))
    {
        Description = "Waiting that makes up for one level of priority, so that low priorities get their turn too; 0s for strict priorities.",
        Default = "1m",
    };

    public static readonly Setting<TimeSpan> DrainTimeout = new("worker", "drain_timeout", SettingTypes.Duration("0s", "1d"))
    {
        Description = "How long SIGTERM lets running work finish before it is aborted; keep systemd's TimeoutStopSec above it.",
        Default = "90s",
        IsReloadable = true,
    };

    public static readonly Setting<TimeSpan> Lease = new("worker", "lease", SettingTypes.Duration("1s", "10m"))
    {
        Description = "How long claims outlive the last heartbeat before other daemons take them over.",
        Default = "8s",
    };

    public static readonly Setting<TimeSpan> Heartbeat = new("worker", "heartbeat", SettingTypes.Duration("100ms", "5m"))
    {
        Description = "How often the daemon says that it is alive; at most half of worker.lease.",
        Default = "2s",
        DefaultNote = "a quarter of worker.lease",
        ComputeDefault = scope => DurationText.TryParse(scope.Effective(Lease) ?? "", out var lease) ? DurationText.Format(lease / 4) : "2s",
    };

    public static readonly Setting<int> MaxRescues = new("worker", "max_rescues", SettingTypes.Integer(1, 1000))
    {
        Description = "Rescues without progress after which an execution fails with crash_loop.",
        Default = "5",
        IsReloadable = true,
    };

    public static readonly SettingSection Section = new("worker", "How this daemon takes and runs executions.",
        [StateDirectory, Id, Concurrency, MaxClaimed, MaxRetries, RetryDelay, PollInterval, PriorityAgeing, DrainTimeout, Lease, Heartbeat, MaxRescues]);

    private static string DefaultStateDirectory(ConfigurationSources sources)
    {
        // systemd separates several state directories by colons; the first is the unit's own.
        if (sources.Variable("STATE_DIRECTORY") is { } state)
        {
            return state.Split(':')[0];
        }

        return sources.Variable("XDG_STATE_HOME") is { } xdg && xdg.StartsWith('/') ? $"{xdg}/lekhika-daemon"
            : sources.Variable("HOME") is { } home && home.StartsWith('/') ? $"{home.TrimEnd('/')}/.local/state/lekhika-daemon"
            : "/var/lib/lekhika-daemon";
    }

    // Two daemons of one host have different state directories, and one daemon keeps its own over restarts.
    private static string DefaultId(string host, string? stateDirectory)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{host}\n{stateDirectory}"));
        return $"{host}-{Convert.ToHexStringLower(hash.AsSpan(0, 3))}";
    }

    private static bool IsWorkerId(string id) => id.Length is > 0 and <= 128 && !id.Any(character => char.IsWhiteSpace(character) || char.IsControl(character));
}

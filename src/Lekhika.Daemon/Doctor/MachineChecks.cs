using System.Globalization;
using Lekhika.Daemon.Configuration;

namespace Lekhika.Daemon.Doctor;

/// <summary>Is there room on the disk, and do the limits of the process and the unit fit?</summary>
internal sealed class MachineChecks(DaemonOptions options, DoctorContext context)
{
    private const long Least = 100L << 20;
    private const long Comfortable = 1L << 30;
    private const long Files = 4096;

    public IEnumerable<Check> Run() => [Disk(), Limits()];

    private Check Disk()
    {
        var folder = options.Worker.StateDirectory;
        if (File.Exists(folder)) return Check.Failed("disk", $"the state directory {folder} is a file", "set worker.state_directory to a folder, or take the file away");
        var present = folder;
        while (!Directory.Exists(present) && Path.GetDirectoryName(present) is { } above) present = above;
        long free;
        try
        {
            free = new DriveInfo(present).AvailableFreeSpace;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return Check.Failed("disk", $"{present} cannot be looked at: {exception.Message}", "set worker.state_directory to a folder that the daemon may use");
        }

        var text = string.Create(CultureInfo.InvariantCulture, $"{free / (double)(1L << 30):0.0} GB free under {present}");
        if (free < Least) return Check.Failed("disk", $"{text}: too little to keep results that cannot be written to the database", "make room: journalctl --vacuum-size=200M, apt clean");
        if (Unwritable(folder) is { } reason)
            return Check.Failed("disk", $"the state directory {folder} cannot be written: {reason}", $"chown lekhika-daemon: {folder}, or set worker.state_directory");
        return free < Comfortable ? Check.Warning("disk", text, "make room before it is full") : Check.Ok("disk", text);
    }

    private static string? Unwritable(string folder)
    {
        if (!Directory.Exists(folder)) return null; // made at the start
        var file = Path.Combine(folder, $".doctor-{Guid.NewGuid():N}");
        try
        {
            File.WriteAllText(file, "");
            File.Delete(file);
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return exception.Message;
        }
    }

    private Check Limits()
    {
        var unit = context.Unit is { IsInstalled: true } installed ? installed : null;
        if (unit is not null && Seconds(unit["TimeoutStopUSec"]) is { } stop && stop < options.Worker.DrainTimeout)
        {
            return Check.Warning("limits",
                $"systemd would kill a stop after {DurationText.Format(stop)}, but worker.drain_timeout is {DurationText.Format(options.Worker.DrainTimeout)}",
                "set TimeoutStopSec= above it: /usr/share/doc/lekhika-daemon/examples/systemd/long-drain.conf");
        }

        var files = unit is not null ? Number(unit["LimitNOFILE"]) : MachineFacts.OpenFiles();
        if (files is null) return Check.Skipped("limits", "this system does not tell its limits");
        var text = $"{files} open files{(unit is null ? " for what is started from here" : $" for {unit.Name}")}";
        return files < Files
            ? Check.Warning("limits", $"{text}: few for many event streams and model calls", "LimitNOFILE=65536 in the unit, or ulimit -n 65536")
            : Check.Ok("limits", text);
    }

    private static long? Number(string text) => text == "infinity" ? long.MaxValue : long.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>What systemctl shows: <c>2min</c>, <c>1min 30s</c>, <c>500ms</c>.</summary>
    internal static TimeSpan? Seconds(string text)
    {
        if (text.Length == 0 || text == "infinity") return null;
        var sum = TimeSpan.Zero;
        foreach (var part in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var digits = part.TakeWhile(static letter => char.IsAsciiDigit(letter) || letter == '.').Count();
            if (!double.TryParse(part.AsSpan(0, digits), CultureInfo.InvariantCulture, out var number)) return null;
            switch (part[digits..])
            {
                case "us": sum += TimeSpan.FromMicroseconds(number); break;
                case "ms": sum += TimeSpan.FromMilliseconds(number); break;
                case "s": sum += TimeSpan.FromSeconds(number); break;
                case "min": sum += TimeSpan.FromMinutes(number); break;
                case "h": sum += TimeSpan.FromHours(number); break;
                case "d": sum += TimeSpan.FromDays(number); break;
                default: return null;
            }
        }

        return sum;
    }
}

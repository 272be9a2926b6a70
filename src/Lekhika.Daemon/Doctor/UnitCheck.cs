namespace Lekhika.Daemon.Doctor;

/// <summary>Is the daemon started, and will it be after a reboot?</summary>
internal static class UnitCheck
{
    private const string Name = "unit";

    /// <param name="unit">What systemd said; null if it was not or could not be asked.</param>
    /// <param name="unitName">The unit's name; null if the configuration file is not one of a unit's.</param>
    public static Check Of(ServiceUnit? unit, string? unitName)
    {
        if (unitName is null) return Check.Skipped(Name, "this configuration file is not one in /etc/lekhika-daemon, so no unit runs with it");
        if (unit is null) return Check.Skipped(Name, "systemd does not run this machine");
        if (!unit.IsInstalled)
        {
            return Check.Failed(Name, $"there is no unit {unitName} ({unit["LoadState"]})", "install the package: apt install ./lekhika-daemon_VERSION_amd64.deb");
        }

        if (unit.IsActive)
        {
            if (unit["NeedDaemonReload"] == "yes")
                return Check.Warning(Name, $"{unitName} runs, but its unit file has changed since", $"systemctl daemon-reload && systemctl restart {unitName}");
            return unit["UnitFileState"] is "disabled"
                ? Check.Warning(Name, $"{unitName} runs ({Status(unit)}), but would not be started after a reboot", $"systemctl enable {unitName}")
                : Check.Ok(Name, $"{unitName} runs: {Status(unit)}");
        }

        var state = $"{unit["ActiveState"]}/{unit["SubState"]}";
        if (unit["ActiveState"] is "activating") return Check.Failed(Name, $"{unitName} is starting ({state}): {Status(unit)}", $"wait, and look: journalctl -u {unitName} -n 50");
        if (unit["ExecMainStatus"] == "78")
        {
            return Check.Failed(Name, $"{unitName} is not started: it ended because its configuration is invalid (exit code 78)",
                $"mend what 'configuration' says above, then: systemctl restart {unitName}");
        }

        if (unit["ActiveState"] == "failed")
        {
            return Check.Failed(Name, $"{unitName} is not started: it failed ({unit["Result"]}, exit code {unit["ExecMainStatus"]})",
                $"journalctl -u {unitName} -n 50 says why; then: systemctl restart {unitName}");
        }

        return Check.Failed(Name, $"{unitName} is not started ({state})", $"systemctl enable --now {unitName}");
    }

    private static string Status(ServiceUnit unit) => unit["StatusText"] is { Length: > 0 } text ? text : unit["SubState"];
}

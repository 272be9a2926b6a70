using System.Globalization;
using System.Runtime.InteropServices;
using Lekhika.Daemon.Configuration;

namespace Lekhika.Daemon.Doctor;

/// <summary>
/// Becoming the unit's user: what root runs with the unit's configuration goes on as that user once configuration and credentials are read, so that it
/// finds what the daemon would find (PostgreSQL's peer authentication above all) and can do nothing else.
/// </summary>
internal static class ServiceUser
{
    private const string Name = "lekhika-daemon";

    /// <summary>Becomes the unit's user for good, where this is root and the file is the unit's. Else nothing happens.</summary>
    /// <returns>The user's name, if this process is that now.</returns>
    public static string? Become(string? configurationFile)
    {
        if (OperatingSystem.IsWindows() || Environment.UserName != "root" || ServiceUnit.NameFor(configurationFile) is null) return null;
        if (Find() is not var (user, group)) return null;
        // Groups first: without root they cannot be changed any more.
        if (SetGroups(0, 0) != 0 || SetGroup(group) != 0 || SetUser(user) != 0)
            throw new IOException($"the user {Name} could not be taken on (errno {Marshal.GetLastPInvokeError()})");
        Environment.SetEnvironmentVariable("HOME", "/var/lib/lekhika-daemon");
        return Name;
    }

    private static (uint User, uint Group)? Find()
    {
        try
        {
            var fields = File.ReadLines("/etc/passwd").Select(static line => line.Split(':')).FirstOrDefault(static fields => fields is [Name, _, _, _, ..]);
            return fields is not null && uint.TryParse(fields[2], CultureInfo.InvariantCulture, out var user) && uint.TryParse(fields[3], CultureInfo.InvariantCulture, out var group)
                ? (user, group)
                : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    [DllImport("libc", EntryPoint = "setgroups", SetLastError = true)]
    private static extern int SetGroups(nuint count, nint groups);

    [DllImport("libc", EntryPoint = "setgid", SetLastError = true)]
    private static extern int SetGroup(uint group);

    [DllImport("libc", EntryPoint = "setuid", SetLastError = true)]
    private static extern int SetUser(uint user);
}

using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;

namespace Lekhika.Daemon.Dispatch.Spooling;

/// <summary>Makes renames and deletions in a folder outlive a power failure: .NET flushes files, not folders.</summary>
[SuppressMessage("Interoperability", "SYSLIB1054", Justification = "What the generator makes needs unsafe code; these arguments need no marshalling.")]
internal static class DurableFolder
{
    private const int ReadOnly = 0;

    /// <summary>Flushes the folder. Where the system cannot, the file is still there after any end but a power failure.</summary>
    public static void Flush(string path)
    {
        if (!OperatingSystem.IsLinux()) return;
        var descriptor = Open(Encoding.UTF8.GetBytes(path + '\0'), ReadOnly);
        if (descriptor < 0) return;
        _ = Sync(descriptor);
        _ = Close(descriptor);
    }

    [DllImport("libc", EntryPoint = "open")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open(byte[] path, int flags);

    [DllImport("libc", EntryPoint = "fsync")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Sync(int descriptor);

    [DllImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int descriptor);
}

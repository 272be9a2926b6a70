using System.Globalization;

namespace Lekhika.Daemon.Tests.EndToEnd.Support;

/// <summary>A folder of a test's own under the system's temporary one, gone with the test: it may hold secrets.</summary>
internal sealed class ScratchFolder : IDisposable
{
    private int _folders;

    public string Path { get; } = Directory.CreateTempSubdirectory("lekhika-e2e-").FullName;

    /// <summary>A new folder in it.</summary>
    public string Folder(string name)
    {
        var number = Interlocked.Increment(ref _folders).ToString(CultureInfo.InvariantCulture);
        return Directory.CreateDirectory(System.IO.Path.Combine(Path, $"{name}-{number}")).FullName;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

namespace Lekhika.Daemon.Tests.EndToEnd.Support;

/// <summary>
/// The program under test: artifacts/lekhika-daemon as scripts/publish makes it, or what LEKHIKA_TEST_BINARY says ("dotnet …/lekhika-daemon.dll" while
/// developing).
/// </summary>
internal static class DaemonBinary
{
    private static readonly Lazy<string[]> Found = new(Find);

    /// <summary>The program and the arguments that come before ours.</summary>
    public static string[] Command => Found.Value;

    /// <summary>The folder that holds the solution.</summary>
    public static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Lekhika.Daemon.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("Lekhika.Daemon.sln is in none of the folders above " + AppContext.BaseDirectory);
    }

    private static string[] Find()
    {
        if (Environment.GetEnvironmentVariable("LEKHIKA_TEST_BINARY") is { Length: > 0 } named)
        {
            return named.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        }

        var published = Path.Combine(RepositoryRoot(), "artifacts", "lekhika-daemon");
        if (File.Exists(published)) return [published];
        throw new InvalidOperationException(
            $"{published} is not there. The end-to-end tests drive the published native binary: run scripts/publish first, "
            + "or set LEKHIKA_TEST_BINARY (for example to \"dotnet src/Lekhika.Daemon/bin/Debug/net10.0/lekhika-daemon.dll\").");
    }
}

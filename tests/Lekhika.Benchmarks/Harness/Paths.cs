namespace Lekhika.Benchmarks.Harness;

/// <summary>Where things are.</summary>
internal static class Paths
{
    public static string Root { get; } = FindRoot();

    /// <summary>The published native binary; nothing else is measured.</summary>
    public static string Daemon => Need(Path.Combine(Root, "artifacts", "lekhika-daemon"), "run scripts/publish");

    /// <summary>The benchmark's own folder: packages of the peers, the empty program.</summary>
    public static string Own => Path.Combine(Root, "artifacts", "bench");

    public static string Peers => Path.Combine(Own, "peers");

    public static string Node => Need(Path.Combine(Peers, "node_modules", "node", "bin", "node"), "run scripts/bench, which installs it");

    public static string EmptyProgram => Need(Path.Combine(Own, "empty-kestrel"), "run scripts/bench, which publishes it");

    private static string Need(string path, string cure) => File.Exists(path) ? path : throw new InvalidOperationException($"{path} is not there: {cure}.");

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Lekhika.Daemon.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("the solution is in none of the folders above " + AppContext.BaseDirectory);
    }
}

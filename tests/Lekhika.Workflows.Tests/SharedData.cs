using Xunit;

namespace Lekhika.Workflows.Tests;

/// <summary>Data beside the repository that tests read where it is there.</summary>
internal static class SharedData
{
    public static string Require(string name)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Lekhika.Daemon.sln")))
            root = root.Parent;
        var path = root is null ? name : Path.GetFullPath(Path.Combine(root.FullName, "..", "shared", "data", name));
        if (!File.Exists(path))
            Assert.Skip($"The data file {name} is not beside this repository.");
        return path;
    }
}

using Xunit;

namespace Lekhika.Workflows.Tests.Expressions;

/// <summary>The public conformance data, which lies beside the repository.</summary>
internal static class ConformanceData
{
    public static string RequirePath()
    {
        const string Name = "cel-conformance.ndjson";
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Lekhika.Daemon.sln")))
            root = root.Parent;
        var path = root is null ? Name : Path.GetFullPath(Path.Combine(root.FullName, "..", "shared", "data", Name));
        if (!File.Exists(path))
            Assert.Skip($"The data file {Name} is not beside this repository.");
        return path;
    }
}

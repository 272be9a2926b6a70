namespace Lekhika.Daemon.Tests.Configuration;

/// <summary>Finds the repository that the tests were built from.</summary>
internal static class RepositoryFiles
{
    public static string Root
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Lekhika.Daemon.sln")))
            {
                folder = folder.Parent;
            }

            return folder?.FullName ?? throw new DirectoryNotFoundException("no folder above the tests holds Lekhika.Daemon.sln");
        }
    }
}

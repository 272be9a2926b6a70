using System.Text.RegularExpressions;
using Lekhika.Daemon.Tests.Configuration;
using Xunit;

namespace Lekhika.Daemon.Tests.Documents;

/// <summary>Holds the pages that name tests to the tests there are.</summary>
public sealed partial class GuaranteesPageTests
{
    private static readonly string Tests = Path.Combine(RepositoryFiles.Root, "tests");

    [Theory]
    [InlineData("guarantees.md", 40)]
    [InlineData("model/README.md", 30)]
    public void Every_test_that_a_page_names_exists(string page, int least)
    {
        var sources = Directory.EnumerateFiles(Tests, "*Tests.cs", SearchOption.AllDirectories).ToLookup(Path.GetFileNameWithoutExtension, File.ReadAllText);
        var named = TestName().Matches(File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs", page)))
            .Select(static match => (Class: match.Groups["class"].Value, Method: match.Groups["method"].Value)).Distinct().ToList();
        Assert.True(named.Count >= least, $"only {named.Count} tests are named");
        Assert.DoesNotContain(named, test => !sources[test.Class].Any(source => source.Contains($" {test.Method}(", StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_case_of_the_model_without_a_rule_is_explained()
    {
        var folder = Path.Combine(RepositoryFiles.Root, "docs", "model");
        var page = File.ReadAllText(Path.Combine(folder, "README.md"));
        var violated = File.ReadLines(Path.Combine(folder, "cases"))
            .Where(static line => !line.StartsWith('#') && line.Contains("| violated", StringComparison.Ordinal))
            .Select(static line => line.Split('|')[0].Trim()).ToList();
        Assert.NotEmpty(violated);
        // Of several in one row, those after the first are named by what differs.
        Assert.DoesNotContain(violated, name =>
            !page.Contains($"`{name}`", StringComparison.Ordinal) && !page.Contains($"`-{name[(name.LastIndexOf('-') + 1)..]}`", StringComparison.Ordinal));
    }

    [GeneratedRegex(@"`(?<class>[A-Z]\w+Tests)\.(?<method>\w+)`", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex TestName();
}

using System.Reflection;
using System.Text.RegularExpressions;
using Xunit;

namespace Lekhika.Workflows.Tests;

/// <summary>docs/errors.md explains every code of the registry, and no other.</summary>
public sealed partial class ErrorDocumentTests
{
    [Fact]
    public void Every_error_code_is_explained_in_the_documentation_and_none_is_made_up()
    {
        var codes = typeof(ErrorCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!);

        Assert.Equal(codes.Order(StringComparer.Ordinal), Rows("## Of executions").Select(row => row.Code).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_explanation_has_a_cause_and_a_remedy() =>
        Assert.All(Rows("## Of executions"), row => Assert.True(row.Cause.Length > 10 && row.Remedy.Length > 10, row.Code));

    private static IEnumerable<(string Code, string Cause, string Remedy)> Rows(string heading)
    {
        var text = File.ReadAllText(Path.Combine(Root(), "docs", "errors.md"));
        var begin = text.IndexOf(heading, StringComparison.Ordinal);
        Assert.True(begin >= 0, $"docs/errors.md has no heading '{heading}'");
        var end = text.IndexOf("\n## ", begin, StringComparison.Ordinal);
        return Row().Matches(end < 0 ? text[begin..] : text[begin..end])
            .Select(match => (match.Groups["code"].Value, match.Groups["cause"].Value.Trim(), match.Groups["remedy"].Value.Trim()));
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Lekhika.Daemon.sln"))) folder = folder.Parent;
        Assert.SkipWhen(folder is null, "the repository's root is not above the tests");
        return folder!.FullName;
    }

    [GeneratedRegex(@"^\| `(?<code>\w+)` \|(?<cause>[^|]+)\|(?<remedy>[^|]+)\|$", RegexOptions.Multiline, 1000)]
    private static partial Regex Row();
}

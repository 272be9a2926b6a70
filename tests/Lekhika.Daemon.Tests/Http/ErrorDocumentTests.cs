using System.Reflection;
using Lekhika.Daemon.Http;
using Lekhika.Daemon.Tests.Configuration;
using Xunit;

namespace Lekhika.Daemon.Tests.Http;

/// <summary>docs/errors.md explains the codes that only HTTP uses; those of executions are held to it by the tests of Lekhika.Workflows.</summary>
public sealed class ErrorDocumentTests
{
    [Fact]
    public async Task Every_code_of_http_is_explained_in_the_documentation()
    {
        var text = await File.ReadAllTextAsync(Path.Combine(RepositoryFiles.Root, "docs", "errors.md"), TestContext.Current.CancellationToken);
        var section = text[text.IndexOf("## Of HTTP only", StringComparison.Ordinal)..];
        var codes = typeof(HttpErrorCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!);

        var explained = section.Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(line => line.Split('`')[1]);
        Assert.Equal(codes.Order(StringComparer.Ordinal), explained.Order(StringComparer.Ordinal));
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Lekhika.Daemon.Tests.Configuration;
using Lekhika.Daemon.Tests.Nodes.Support;
using Lekhika.Doubles;
using Lekhika.Workflows.Catalogue;
using Xunit;

namespace Lekhika.Daemon.Tests.Nodes;

/// <summary>Holds <c>docs/nodes.md</c> to the catalogue, and to what the daemon does.</summary>
public sealed partial class NodesPageTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs", "nodes.md")).ReplaceLineEndings("\n");

    public static TheoryData<string> Types => [.. NodeCatalogue.BuiltIn.Types.Select(static type => type.Name)];

    public static TheoryData<string> Sections => [.. Types.Select(static row => row.Data), "Types of your own"];

    [Theory]
    [MemberData(nameof(Types))]
    public void The_page_has_the_fields_of_the_catalogue(string name)
    {
        var type = NodeCatalogue.BuiltIn.Find(name)!;
        var section = Section(name);
        Assert.Contains(type.Description, section, StringComparison.Ordinal);
        Assert.Contains($"<!-- fields of {name} -->\n{Table(type)}<!-- end -->", section, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Sections))]
    public async Task The_example_does_what_the_page_says(string name)
    {
        var examples = Fence().Matches(Section(name));
        Assert.NotEmpty(examples);
        await using var service = await SmallServer.JsonAsync("""{"ok":true}""");
        await using var models = await OllamaDouble.StartAsync(new OllamaDoubleOptions { TokensPerSecond = 0 }, TestContext.Current.CancellationToken);
        await using var run = new WorkflowRun(models.BaseAddress, $"[http]\nallow = 127.0.0.1\n[nodes]\nscraping = {service.Url}\n");
        foreach (Match match in examples)
        {
            using var example = JsonDocument.Parse(match.Groups[1].Value.Replace("http://service.example/", service.Url.AbsoluteUri, StringComparison.Ordinal));
            var root = example.RootElement;
            var end = await run.RunAsync(root.GetProperty("workflow").GetRawText(), root.GetProperty("inputs").GetRawText());
            if (root.TryGetProperty("error", out var code))
            {
                Assert.Equal("failed", end.Status);
                Assert.Equal(code.GetString(), end.ErrorDetails!.Value.GetProperty("code").GetString());
            }
            else if (root.TryGetProperty("waits", out var kind))
            {
                Assert.Equal("waiting", end.Status);
                Assert.Equal(kind.GetString(), end.WaitingFor!.Value.GetProperty("steps")[0].GetProperty("awaits").GetProperty("kind").GetString());
            }
            else
            {
                Assert.True(end.Status == "completed", $"{end.Status}: {end.Error}");
                AssertHolds(root.GetProperty("result"), end.Result!.Value, "result");
            }
        }
    }

    private static string Section(string title)
    {
        var begin = Page.IndexOf($"\n## {title}\n", StringComparison.Ordinal);
        Assert.True(begin >= 0, $"docs/nodes.md has no section '{title}'");
        var end = Page.IndexOf("\n## ", begin + 4, StringComparison.Ordinal);
        return end < 0 ? Page[begin..] : Page[begin..end];
    }

    private static string Table(NodeType type)
    {
        var table = new StringBuilder();
        if (type.Fields.Length == 0) table.Append("It has no fields.\n");
        else table.Append("| field | holds | default | |\n|---|---|---|---|\n");
        foreach (var field in type.Fields)
        {
            var holds = field.Kind == FieldKind.Enum ? "one of " + string.Join(", ", field.Options.Select(static option => $"`{option}`")) : field.Kind.ToString().ToLowerInvariant();
            if (field.Required) holds += ", required";
            if (field.PerItem) holds += ", for each item";
            table.Append(CultureInfo.InvariantCulture, $"| `{field.Name}` | {Cell(holds)} | {(field.Default is { } value ? Cell($"`{value.GetRawText()}`") : "")} | {Cell(field.Description)} |\n");
        }

        if (type.Outputs.Length > 0) table.Append("\n| output | |\n|---|---|\n");
        foreach (var (name, description) in type.Outputs) table.Append(CultureInfo.InvariantCulture, $"| `{name}` | {Cell(description)} |\n");
        return table.ToString();
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).Replace('\n', ' ');

    /// <summary>Everything that is expected is there; objects may hold more.</summary>
    private static void AssertHolds(JsonElement expected, JsonElement actual, string path)
    {
        switch (expected.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in expected.EnumerateObject())
                {
                    Assert.Equal(JsonValueKind.Object, actual.ValueKind);
                    Assert.True(actual.TryGetProperty(property.Name, out var value), $"{path}.{property.Name} is missing in {actual}");
                    AssertHolds(property.Value, value, $"{path}.{property.Name}");
                }

                break;
            case JsonValueKind.Array:
                Assert.Equal(expected.GetArrayLength(), actual.GetArrayLength());
                for (var i = 0; i < expected.GetArrayLength(); i++) AssertHolds(expected[i], actual[i], $"{path}[{i}]");
                break;
            default:
                Assert.True(JsonElement.DeepEquals(expected, actual), $"{path} is {actual}, expected {expected}");
                break;
        }
    }

    [GeneratedRegex("```json\n(?<example>.*?)\n```", RegexOptions.Singleline | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Fence();
}

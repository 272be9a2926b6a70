using System.Text.Json;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Dialects;
using Lekhika.Workflows.Validation;
using Xunit;

namespace Lekhika.Workflows.Tests.Definitions;

/// <summary>Shared by the tests of reading and validating.</summary>
internal static class Documents
{
    public static JsonElement Json(string text) => JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 1000 }).RootElement;

    public static ReadResult Read(string text, ReadOptions? options = null) => WorkflowReader.Read(Json(text), options ?? new ReadOptions());

    /// <summary>Reads and validates with the compiler that will run the expressions.</summary>
    public static ReadResult Check(string text, ReadOptions? options = null, ValidationOptions? validation = null) =>
        WorkflowReader.Check(Json(text), options ?? new ReadOptions(), validation ?? new ValidationOptions { Expressions = CelChecker.Instance });

    public static NodeDefinition Node(this ReadResult result, string id)
    {
        Assert.NotNull(result.Definition);
        return Assert.Single(result.Definition.Nodes, node => node.Id == id);
    }

    public static string? Text(this NodeDefinition node, string field) =>
        node.Config.TryGetProperty(field, out var value) ? value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetRawText() : null;

    public static Problem Problem(this ReadResult result, string code) => Assert.Single(result.Problems, problem => problem.Code == code);

    public static string[] Errors(this ReadResult result) =>
        [.. result.Problems.Where(problem => problem.Severity == Severity.Error).Select(problem => $"{problem.Path}: {problem.Message}")];

    public static string Canonical(WorkflowDefinition definition) => DefinitionWriter.ToElement(definition).GetRawText();

    public static string Sample(string name)
    {
        var folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Lekhika.Daemon.sln"))) folder = Path.GetDirectoryName(folder);
        foreach (var above in new[] { "../shared", "../../shared" })
        {
            var path = folder is null ? "" : Path.Combine(folder, above, "data/samples", name);
            if (File.Exists(path)) return File.ReadAllText(path);
        }

        Assert.Skip($"the sample {name} is not beside the repository (../shared/data/samples)");
        return "";
    }
}

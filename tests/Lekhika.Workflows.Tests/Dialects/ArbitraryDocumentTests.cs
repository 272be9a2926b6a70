using System.Text.Json;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Dialects;
using Lekhika.Workflows.Tests.Definitions;
using Lekhika.Workflows.Tests.Validation;
using Lekhika.Workflows.Validation;
using Xunit;

namespace Lekhika.Workflows.Tests.Dialects;

/// <summary>Whatever the document, reading and checking give problems and never an exception.</summary>
public sealed class ArbitraryDocumentTests
{
    private static readonly string[] Words =
    [
        "id", "type", "nodes", "edges", "config", "data", "from", "to", "source", "target", "when", "node_id", "node_type", "next", "graph_config", "role",
        "inputFields", "selectedModels", "userPrompt", "conditions", "field", "operator", "value", "cases", "position", "x", "y", "body", "retry", "timeout",
        "sourceHandle", "condition", "array", "expression", "fields", "name", "label", "options", "exportFormats", "true_path", "items", "map_expression",
        "input_array", "split_config", "operations", "mappings", "tools", "fieldType", "variable",
    ];

    private static readonly string[] Texts =
    [
        "a", "b", "c", "custom", "process", "input", "output", "condition", "if_else", "switch", "loop", "map", "trigger", "editor", "content_writer", "merge",
        "filter", "text_formatter", "{{input.x}}", "{topic}", "{{", "}}", "a.length === 3", "[{\"value\":1}]", "{\"a\":{{x}}}", "3", "1e999", "", "\u00e9", "🙂",
        "true", "edit_fields", "rename_keys", "delay", "preview", "human_approval", "while", "repeat", "body", "image_generator", "llm", "http_request", "reduce",
    ];

    private static Gen<JsonNode?> Values(int depth)
    {
        var leaf = Gen.OneOf(
            Gen.Elements(Texts).Select(text => (JsonNode?)JsonValue.Create(text)),
            Gen.Elements(0, 1, -5, 1_000_000).Select(number => (JsonNode?)JsonValue.Create(number)),
            Gen.Elements(1e300, 0.5).Select(number => (JsonNode?)JsonValue.Create(number)),
            Gen.Elements(true, false).Select(flag => (JsonNode?)JsonValue.Create(flag)),
            Gen.Constant<JsonNode?>(null));
        if (depth == 0) return leaf;
        var inner = Values(depth - 1);
        return Gen.Frequency((3, leaf), (3, Objects(inner)), (2, Gen.ListOf(inner, 3).Select(items => (JsonNode?)new JsonArray([.. items]))));
    }

    private static Gen<JsonNode?> Objects(Gen<JsonNode?> inner) =>
        Gen.ListOf(from key in Gen.Elements(Words) from value in inner select (key, value), 5).Select(pairs =>
        {
            var map = new JsonObject();
            foreach (var (key, value) in pairs) map[key] = value?.DeepClone();
            return (JsonNode?)map;
        });

    /// <summary>Documents that look like a workflow at the top, so that what lies below is reached.</summary>
    private static Gen<JsonNode?> Documents()
    {
        var node = from id in Gen.Elements("a", "b", "c", "d")
                   from key in Gen.Elements("id", "node_id")
                   from kind in Gen.Elements("type", "node_type")
                   from type in Gen.Elements(Texts)
                   from data in Objects(Values(2))
                   from config in Objects(Values(2))
                   from role in Gen.Elements(Texts)
                   select (JsonNode?)new JsonObject
                   {
                       [key] = id,
                       [kind] = type,
                       ["data"] = data?.DeepClone(),
                       ["config"] = config?.DeepClone(),
                       ["role"] = role,
                   };
        var edge = from start in Gen.Elements("a", "b", "c", "d", "e")
                   from end in Gen.Elements("a", "b", "c", "d", "e")
                   from style in Gen.Elements(true, false)
                   from label in Gen.Elements("when", "condition", "sourceHandle", "branch")
                   from text in Gen.Elements("true", "false", "body", "error", "case_1", "done")
                   select (JsonNode?)new JsonObject { [style ? "from" : "source"] = start, [style ? "to" : "target"] = end, [label] = text };
        return from nodes in Gen.ListOf(node, 5)
               from edges in Gen.ListOf(edge, 5)
               from wrap in Gen.Elements(true, false, false)
               let graph = new JsonObject { ["nodes"] = new JsonArray([.. nodes]), ["edges"] = new JsonArray([.. edges]) }
               select (JsonNode?)(wrap ? new JsonObject { ["graph_config"] = graph } : graph);
    }

    [Fact]
    public void Arbitrary_JSON_never_throws() => Check(Values(5), 400);

    [Fact]
    public void Arbitrary_workflows_never_throw() => Check(Documents(), 1000);

    [Fact]
    public void Arbitrary_text_in_a_prompt_or_condition_never_throws() =>
        Prop.ForAll<string>(text =>
        {
            var quoted = JsonValue.Create(new string([.. (text ?? "").Where(character => !char.IsSurrogate(character))])).ToJsonString();
            foreach (var document in new[]
            {
                $$$$"""{"nodes":[{"id":"a","type":"process","data":{"userPrompt":{{{{quoted}}}},"conditions":[{"field":{{{{quoted}}}}}]}}]}""",
                $$$$"""{"nodes":[{"id":"a","type":"custom","data":{"type":"if_else","config":{"condition":{{{{quoted}}}}}}}]}""",
                $$$$"""{"nodes":[{"node_id":"a","node_type":"set_variable","config":{"variable_name":{{{{quoted}}}},"variable_value":{{{{quoted}}}}}}]}""",
            })
            {
                WorkflowReader.Check(JsonDocument.Parse(document).RootElement, new ReadOptions(), new ValidationOptions { Expressions = new FakeChecker() });
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    [Fact]
    public void Deep_nesting_is_refused_and_not_recursed_into()
    {
        var deep = string.Concat(Enumerable.Repeat("""{"nodes":[{"id":"m","type":"map","config":{"items":[],"body":""", 50)) + "1" + string.Concat(Enumerable.Repeat("}}]}", 50));
        var document = JsonDocument.Parse(deep, new JsonDocumentOptions { MaxDepth = 1000 }).RootElement;
        var result = WorkflowReader.Check(document, new ReadOptions(), new ValidationOptions());
        Assert.Contains(result.Problems, problem => problem.Code == "too_deep");
    }

    private static void Check(Gen<JsonNode?> documents, int count) =>
        Prop.ForAll(documents.Select(node => node?.ToJsonString() ?? "null").ToArbitrary(), text =>
        {
            var document = JsonDocument.Parse(text).RootElement;
            var result = WorkflowReader.Check(document, new ReadOptions(), new ValidationOptions { Expressions = new FakeChecker() });
            Assert.All(result.Problems, problem => Assert.NotEmpty(problem.Message));
            if (result.Ok) WorkflowReader.Read(DefinitionWriter.ToElement(result.Definition!), new ReadOptions());
            else Assert.NotEmpty(result.Problems);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(count));
}

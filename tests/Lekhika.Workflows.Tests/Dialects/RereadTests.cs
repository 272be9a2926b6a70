using System.Text.Json;
using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Dialects;
using Lekhika.Workflows.Templates;
using Lekhika.Workflows.Tests.Definitions;
using Lekhika.Workflows.Validation;
using Xunit;

namespace Lekhika.Workflows.Tests.Dialects;

/// <summary>What is read of an earlier dialect is a canonical definition like any other.</summary>
public sealed class RereadTests
{
    /// <summary>Every name that a dialect has for a type, foreign ones given to endpoints.</summary>
    public static TheoryData<string, string> Types
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var dialect in new[] { "lekhika", "synthralos", "ctrlchecks" })
            {
                foreach (var name in NodeCatalogue.BuiltIn.Types.SelectMany(type => type.Aliases.TryGetValue(dialect, out var names) ? names : []).Distinct(StringComparer.Ordinal))
                    data.Add(dialect, name);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void A_node_of_any_type_of_any_dialect_reads_back_the_same_from_canonical_form(string dialect, string type)
    {
        const string Config = """
            "condition":"{{input.a}} > 1","expression":"input.a","cases":[{"value":"x"}],"array":"{{input.rows}}","items":"{{input.rows}}","prompt":"Hi {{input.n || 'x'}}",
            "url":"https://x.example","template":"T {{input.a}}","name":"v","value":"{{input.a}}","operation":"sum","limit":3,"batchSize":"2","duration":5,"message":"m",
            "fields":{"a":"{{input.b}}"},"workflow_id":"w","variable_name":"v","variable_value":"{{trigger.data.x}}","input_array":"{{trigger.data.rows}}",
            "filter_condition":"item.n > 1","reduce_function":"sum","array_expression":"{{trigger.data.rows}}","repeat_count":2,"delay_seconds":3
            """;
        var document = dialect switch
        {
            "lekhika" => $$$"""{"nodes":[{"id":"t","type":"input","data":{"inputFields":[]}},{"id":"n","type":"{{{type}}}","data":{"role":"helper","userPrompt":"{a}","conditions":[{"field":"a","operator":"exists"}]} }],"edges":[{"source":"t","target":"n"}]}""",
            "synthralos" => $$$"""{"nodes":[{"node_id":"t","node_type":"trigger"},{"node_id":"n","node_type":"{{{type}}}","config":{{{{Config}}}} },{"node_id":"b","node_type":"set_variable","config":{"variable_name":"x"} }],"edges":[{"from":"t","to":"n"},{"from":"n","to":"b","branch":"true"}]}""",
            _ => $$$"""{"nodes":[{"id":"t","type":"custom","data":{"type":"webhook","config":{} } },{"id":"n","type":"custom","data":{"type":"{{{type}}}","config":{{{{Config}}}} } }],"edges":[{"source":"t","target":"n"}]}""",
        };
        var first = Documents.Check(document);
        Assert.Equal(dialect, first.Dialect.Word());
        Assert.DoesNotContain(first.Problems, problem => problem.Code is "invalid_expression" or "unknown_name" or "unknown_node" or "wrong_type" or "unknown_config");
        var again = WorkflowReader.Check(
            DefinitionWriter.ToElement(first.Definition!), new ReadOptions(), new ValidationOptions { Expressions = CelChecker.Instance, CheckInputNames = false });
        Assert.Equal(Dialect.Canonical, again.Dialect);
        Assert.Equal(Documents.Canonical(first.Definition!), Documents.Canonical(again.Definition!));
        Assert.DoesNotContain(again.Problems, problem => problem.Code is "invalid_expression" or "unknown_name" or "wrong_type" or "unknown_config");
    }

    [Theory]
    [InlineData("""{"nodes":[{"id":"a","type":"input","data":{"inputFields":[{}]}},{"id":"a","type":"proces","data":{"role":"x","aiEnabled":false}},7],"edges":[{"source":"a","target":"b"},3]}""")]
    [InlineData("""{"entry_node_id":"z","nodes":{"a":{"node_type":"condtion","next":[{}]},"b":{"node_type":"condition","config":{"condition":"1 +"}},"c":5}}""")]
    [InlineData("""{"nodes":[{"id":"a","type":"custom","data":{"type":"if_esle","config":{}}},{"id":"b","type":"custom","data":{"type":"switch","config":{"expression":"(","cases":[]}}}],"edges":[{"source":"a","target":"q","sourceHandle":"true"}]}""")]
    [InlineData("""{"nodes":[{"id":"a","type":"llm","retry":{"max_attempts":0},"join":"al"},{"type":"loop","config":{"times":1,"body":{"nodes":[{"id":"x","type":"htp"}]}}}],"edges":[{"from":"a","to":"a"}]}""")]
    public void Every_error_has_a_path_that_leads_somewhere_in_the_document(string text)
    {
        var document = Documents.Json(text);
        var errors = Documents.Check(text).Problems.Where(problem => problem.Severity == Severity.Error).ToList();
        Assert.True(errors.Count >= 3, string.Join('\n', errors));
        Assert.All(errors, error => Assert.True(Leads(document, error.Path), $"{error.Path}: {error.Message}"));
    }

    /// <summary>The place is there, or is what is missing from a place that is there.</summary>
    private static bool Leads(JsonElement value, string path)
    {
        var steps = path.Split('.', '[', ']').Where(step => step.Length > 0).ToList();
        for (var index = 0; index < steps.Count; index++)
        {
            if (value.ValueKind == JsonValueKind.Object)
            {
                if (!value.TryGetProperty(steps[index].Trim('"'), out var inner)) return index == steps.Count - 1 || (steps[index] is "config" && index == steps.Count - 2);
                value = inner;
            }
            else if (value.ValueKind == JsonValueKind.Array && int.TryParse(steps[index], System.Globalization.CultureInfo.InvariantCulture, out var place) && place < value.GetArrayLength())
            {
                value = value[place];
            }
            else
            {
                return false;
            }
        }

        return steps.Count > 0;
    }
}

using Lekhika.Workflows.Tests.Definitions;
using Lekhika.Workflows.Validation;
using Xunit;

namespace Lekhika.Workflows.Tests.Validation;

public sealed class NameValidationTests
{
    private static IReadOnlyList<Problem> Check(string nodes)
    {
        var result = Documents.Check($$"""{"nodes":[{{nodes}}]}""", null, new() { Expressions = new FakeChecker() });
        return [.. result.Problems.Where(problem => problem.Code is not ("no_trigger" or "unreachable_node"))];
    }

    [Fact]
    public void A_node_that_is_not_there_is_an_error_with_a_suggestion()
    {
        var problem = Assert.Single(Check("""{"id":"draft","type":"noop"},{"id":"b","type":"llm","config":{"prompt":"{{ nodes[\"darft\"].text }}"}}"""));
        Assert.Equal(("unknown_node", "nodes[1].config.prompt", "draft"), (problem.Code, problem.Path, problem.Suggestion));
    }

    [Fact]
    public void An_expression_that_does_not_compile_is_an_error_with_its_column()
    {
        var problem = Assert.Single(Check("""{"id":"a","type":"condition","config":{"expression":"1 + broken("}}"""));
        Assert.Equal("invalid_expression", problem.Code);
        Assert.Contains("column 5", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Templates_are_found_at_any_depth()
    {
        var problem = Assert.Single(Check("""{"id":"a","type":"http","config":{"url":"https://x.example","body":{"list":[{"x":"{{ inptus.a }}"}]}}}"""));
        Assert.Equal("nodes[0].config.body.list[0].x", problem.Path);
        Assert.Equal("inputs", problem.Suggestion);
    }

    [Fact]
    public void An_input_that_no_trigger_declares_is_a_warning()
    {
        var problem = Assert.Single(Check("""
            {"id":"t","type":"trigger","config":{"fields":[{"name":"topic"}]}},{"id":"a","type":"llm","config":{"prompt":"{{ inputs.topci }}"}}
            """));
        Assert.Equal((Severity.Warning, "unknown_input", "topic"), (problem.Severity, problem.Code, problem.Suggestion));
    }

    [Fact]
    public void Without_declared_inputs_any_input_may_be_named() =>
        Assert.Empty(Check("""{"id":"t","type":"trigger"},{"id":"a","type":"llm","config":{"prompt":"{{ inputs.anything }}"}}"""));

    [Fact]
    public void Secrets_are_allowed_in_the_fields_marked_for_them()
    {
        Assert.Empty(Check("""{"id":"a","type":"http","config":{"url":"https://x.example","headers":{"Authorization":"Bearer {{ secrets.key }}"}}}"""));
        Assert.Equal("secret_not_allowed", Assert.Single(Check("""{"id":"a","type":"llm","config":{"prompt":"{{ secrets.key }}"}}""")).Code);
    }

    [Fact]
    public void Item_is_known_in_bodies_and_where_a_node_renders_per_item()
    {
        Assert.Equal("unknown_name", Assert.Single(Check("""{"id":"a","type":"llm","config":{"prompt":"{{ item.x }}"}}""")).Code);
        Assert.Empty(Check("""{"id":"a","type":"filter","config":{"condition":"item.x"}}"""));
        Assert.Empty(Check("""
            {"id":"m","type":"map","config":{"items":[1],"item":"page","body":{"nodes":[
              {"id":"a","type":"llm","config":{"prompt":"{{ item }} {{ page.text }} {{ nodes[\"m\"].x }} {{ nodes[\"a\"].x }}"}}]}}}
            """));
    }

    [Fact]
    public void A_node_id_used_as_a_bare_name_is_explained() => Assert.Contains(
        "nodes[\"draft\"]",
        Assert.Single(Check("""{"id":"draft","type":"noop"},{"id":"b","type":"llm","config":{"prompt":"{{ draft.text }}"}}""")).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Raw_fields_are_left_alone()
    {
        var checker = new FakeChecker();
        Documents.Check(
            """{"nodes":[{"id":"a","type":"llm","config":{"prompt":"x","format":{"const":"{{ broken }}"}}}]}""", null, new() { Expressions = checker });
        Assert.Empty(checker.Seen);
    }
}

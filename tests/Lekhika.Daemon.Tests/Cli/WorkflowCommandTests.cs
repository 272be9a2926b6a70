using System.Collections.Frozen;
using System.Text.Json;
using Lekhika.Daemon.Cli;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Hosting;
using Lekhika.Daemon.Tests.Configuration;
using Xunit;

namespace Lekhika.Daemon.Tests.Cli;

/// <summary>The commands that look at workflows and expressions: no database, no secret, no server.</summary>
public sealed class WorkflowCommandTests : IDisposable
{
    private const string Haiku =
        """
        {"nodes":[{"id":"in","type":"input","config":{"fields":[{"name":"topic"}]}},{"id":"say","type":"llm","name":"Say \"it\"","config":{"prompt":"{{ inputs.topic }}"}},
          {"id":"long","type":"condition","config":{"expression":"size(nodes[\"say\"].text) > 9"}},
          {"id":"each","type":"map","config":{"items":"{{ inputs.list }}","body":{"nodes":[{"id":"one","type":"noop"}],"edges":[]}}}],
         "edges":[{"from":"in","to":"say"},{"from":"say","to":"long"},{"from":"long","to":"each","when":"true"},{"from":"say","to":"each","when":"error"}]}
        """;

    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();

    [Fact]
    public async Task A_valid_workflow_is_said_to_be_valid_on_standard_output()
    {
        using var file = new TemporaryFile("""{"nodes":[{"id":"in","type":"input"},{"id":"a","type":"noop"}],"edges":[{"from":"in","to":"a"}]}""");
        Assert.Equal(ExitCodes.Success, await Invoke("validate", file.Path));
        Assert.Equal($"{file.Path} is valid (canonical, 2 nodes).\n", _output.ToString());
        Assert.Empty(_error.ToString());
    }

    [Fact]
    public async Task Every_problem_is_told_at_once_errors_first_with_place_and_suggestion()
    {
        const string Document = """{"nodes":[{"id":"a","type":"noop"},{"id":"b","type":"lllm"},{"id":"c","type":"condition","config":{"expression":"1 +"}}],"edges":[{"from":"a","to":"x"}]}""";
        Assert.Equal(ExitCodes.Failure, await InvokeWith(Document, "validate", "-"));
        Assert.Empty(_output.ToString());
        var lines = _error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains("error: standard input: nodes[1].type: unknown node type 'lllm' at nodes[1]; did you mean 'llm'?", lines);
        Assert.Contains(lines, line => line.StartsWith("error: standard input: edges[0].to: ", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("error: standard input: nodes[2].config.expression: ", StringComparison.Ordinal) && line.EndsWith("(column 4)", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("warning: standard input: nodes: there is no trigger", StringComparison.Ordinal));
        Assert.Equal("standard input cannot run: 3 errors, 1 warning", lines[^1]);
        Assert.Equal(lines.Length - 2, Array.FindLastIndex(lines, line => line.StartsWith("warning", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_report_in_JSON_is_all_there_is_on_standard_output()
    {
        Assert.Equal(ExitCodes.Failure, await InvokeWith("""{"nodes":[{"id":"a","type":"lllm"}]}""", "validate", "-", "--json"));
        Assert.Empty(_error.ToString());
        using var report = JsonDocument.Parse(_output.ToString());
        Assert.False(report.RootElement.GetProperty("valid").GetBoolean());
        Assert.Equal("canonical", report.RootElement.GetProperty("dialect").GetString());
        var problem = report.RootElement.GetProperty("problems")[0];
        Assert.Equal(
            ("error", "unknown_node_type", "nodes[0].type", "llm"),
            (problem.GetProperty("severity").GetString(), problem.GetProperty("code").GetString(), problem.GetProperty("path").GetString(), problem.GetProperty("suggestion").GetString()));
    }

    [Fact]
    public async Task The_configuration_gives_node_types_and_models()
    {
        const string Document = """{"nodes":[{"id":"t","type":"input"},{"id":"a","type":"scraping","config":{"url":"{{ inputs.u }}"}}],"edges":[{"from":"t","to":"a"}]}""";
        Assert.Equal(ExitCodes.Failure, await InvokeWith(Document, "validate", "-"));
        Assert.Contains("[nodes] scraping = URL", _error.ToString(), StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Success, await InvokeWith(Document, "validate", "-", "--nodes.scraping", "http://127.0.0.1:9/scrape"));
    }

    [Fact]
    public async Task The_graph_is_drawn_as_mermaid()
    {
        Assert.Equal(ExitCodes.Success, await InvokeWith(Haiku, "validate", "-", "--graph", "mermaid"));
        Assert.Equal(
            """
            flowchart TD
              n0(["in<br/>trigger"])
              n1["Say #quot;it#quot;<br/>llm"]
              n2{"long<br/>condition"}
              subgraph n3 ["each<br/>map"]
                n4["one<br/>noop"]
              end
              n0 --> n1
              n1 --> n2
              n2 -->|"true"| n3
              n1 -.->|"error"| n3

            """,
            _output.ToString(),
            ignoreLineEndingDifferences: true);
    }

    [Theory]
    [InlineData("{\"nodes\":\n [,]}", "is not JSON: line 2, column 3")]
    [InlineData("[]", "a workflow must be an object")]
    public async Task What_is_no_workflow_is_said_to_be_none(string text, string message)
    {
        Assert.Equal(ExitCodes.Failure, await InvokeWith(text, "validate", "-"));
        Assert.Contains(message, _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_file_is_named()
    {
        Assert.Equal(ExitCodes.Failure, await Invoke("validate", "/nowhere/flow.json"));
        Assert.StartsWith("error: /nowhere/flow.json cannot be read: ", _error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1 + 2", "3")]
    [InlineData("inputs.words > 1000 ? 'long' : 'short'", "\"long\"")]
    [InlineData("{'a': [1, 2.5, null, true]}", """{"a":[1,2.5,null,true]}""")]
    [InlineData("'é' + \"<b>\"", "\"é<b>\"")]
    public async Task Eval_prints_the_value_as_JSON(string expression, string expected)
    {
        Assert.Equal(ExitCodes.Success, await InvokeWith("""{"inputs":{"words":1200}}""", "eval", expression, "--bindings", "-"));
        Assert.Equal(expected + "\n", _output.ToString());
        Assert.Empty(_error.ToString());
    }

    [Theory]
    [InlineData("1 +", "error: line 1, column 4: ")]
    [InlineData("1 +\n  nothing", "error: line 2, column 3: undeclared reference to 'nothing'")]
    [InlineData("[1][5]", "error: line 1, column ")]
    public async Task Eval_says_where_an_expression_fails(string expression, string start)
    {
        Assert.Equal(ExitCodes.Failure, await Invoke("eval", expression));
        Assert.StartsWith(start, _error.ToString(), StringComparison.Ordinal);
        Assert.Empty(_output.ToString());
    }

    [Fact]
    public async Task Eval_answers_line_by_line()
    {
        const string Lines = """
            {"expr":"a + 1","bindings":[["a",{"int":"41"}]]}
            {"expr":"1 +"}

            nonsense
            """;
        Assert.Equal(ExitCodes.Success, await InvokeWith(Lines, "eval", "--ndjson"));
        var answers = _output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, answers.Length);
        Assert.Equal("""{"value":{"int":"42"}}""", answers[0]);
        Assert.All(answers[1..], answer => Assert.StartsWith("{\"error\":", answer, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("eval")]
    [InlineData("eval 1 --ndjson")]
    [InlineData("eval --ndjson --bindings x.json")]
    [InlineData("validate x.json --json --graph mermaid")]
    [InlineData("validate x.json --graph dot")]
    public async Task What_excludes_itself_counts_as_misuse(string arguments)
    {
        Assert.Equal(ExitCodes.Usage, await Invoke(arguments.Split(' ')));
        Assert.StartsWith("error: ", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nodes_lists_the_catalogue_and_shows_one_type()
    {
        Assert.Equal(ExitCodes.Success, await Invoke("nodes", "--nodes.scraping", "http://127.0.0.1:9/"));
        Assert.Contains("  llm ", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("  scraping ", _output.ToString(), StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Success, await Invoke("nodes", "http_request"));
        Assert.Contains("http: Calls an HTTP address.", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS, default \"GET\")", _output.ToString(), StringComparison.Ordinal);
        Assert.Equal(ExitCodes.Failure, await Invoke("nodes", "lmm"));
        Assert.Contains("did you mean 'llm'?", _error.ToString(), StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
    }

    private Task<int> Invoke(params string[] arguments) => InvokeWith("", arguments);

    private async Task<int> InvokeWith(string input, params string[] arguments)
    {
        using var reader = new StringReader(input);
        var context = new CommandContext
        {
            Input = reader,
            Output = _output,
            Error = _error,
            Gather = static (_, flags) => new ConfigurationSources { Flags = flags, Environment = FrozenDictionary<string, string>.Empty },
        };
        var handlers = new CommandHandlers
        {
            Run = static (_, _) => throw new InvalidOperationException("nothing runs here"),
            Migrate = static (_, _, _) => throw new InvalidOperationException("nothing migrates here"),
            Try = static (_, _, _) => throw new InvalidOperationException("nothing is tried here"),
        };
        return await CommandLine.InvokeAsync(arguments, handlers, context, TestContext.Current.CancellationToken);
    }
}

using System.Text.Json;
using Lekhika.Daemon.Generation;
using Lekhika.Daemon.Tests.Generation.Support;
using Lekhika.Doubles;
using Lekhika.Workflows.Execution;
using Xunit;

namespace Lekhika.Daemon.Tests.Generation;

/// <summary>From a prompt to a workflow, whatever the models say meanwhile.</summary>
public sealed class GenerationTests
{
    private const string Good = """
        {"name":"Poem","summary":"Writes a poem","nodes":[
          {"id":"start","type":"trigger","config":{"fields":[{"name":"topic","type":"string","required":true}]}},
          {"id":"ask","type":"llm","config":{"prompt":"A poem about {{ inputs.topic }}","model":"llama3.2"}},
          {"id":"out","type":"output","config":{"from":"ask","format":"text"}}],
         "edges":[{"from":"start","to":"ask"},{"from":"ask","to":"out"}]}
        """;

    public static TheoryData<string, string, string> Bad => new()
    {
        { "unknown type", Good.Replace("\"llm\"", "\"lllm\"", StringComparison.Ordinal), "lllm" },
        { "required config is missing", Good.Replace("\"prompt\":\"A poem about {{ inputs.topic }}\",", "", StringComparison.Ordinal), "needs one of prompt" },
        { "an id twice", Good.Replace("\"id\":\"out\"", "\"id\":\"ask\"", StringComparison.Ordinal), "already that of" },
        { "an edge to nowhere", Good.Replace("\"to\":\"out\"", "\"to\":\"oout\"", StringComparison.Ordinal), "a node that is not there" },
        { "a branch that is not there", Good.Replace("\"to\":\"out\"}", "\"to\":\"out\",\"when\":\"maybe\"}", StringComparison.Ordinal), "maybe" },
        { "a cycle", Good.Replace("\"edges\":[", "\"edges\":[{\"from\":\"out\",\"to\":\"ask\"},", StringComparison.Ordinal), "cycle" },
        { "no trigger", """{"name":"x","nodes":[{"id":"a","type":"set","config":{"values":{"x":1}}}],"edges":[]}""", "there is no trigger" },
        { "a node that nothing leads to", Good.Replace("{\"from\":\"start\",\"to\":\"ask\"},", "", StringComparison.Ordinal), "no edge leads" },
        { "a broken expression", Good.Replace("{{ inputs.topic }}", "{{ inputs.topic + }}", StringComparison.Ordinal), "prompt" },
        { "a credential", Good.Replace("\"model\":\"llama3.2\"", "\"system\":\"use sk-abcdefghijklmnopqrstuvwx\"", StringComparison.Ordinal), "credential" },
        { "no nodes", """{"name":"x","nodes":[],"edges":[]}""", "there are no nodes" },
        { "a node that is a text", """{"name":"x","nodes":["start"],"edges":[]}""", "must be an object" },
        { "cut in the middle", Good[..^60], "the text ends" },
    };

    [Fact]
    public async Task A_prompt_becomes_a_workflow_that_this_engine_runs()
    {
        await using var run = (await GenerationRun.BeginAsync()).Says(Good);
        var workflow = await run.WorkflowAsync();
        Assert.Equal("Poem", workflow.GetProperty("name").GetString());
        Assert.All(workflow.GetProperty("nodes").EnumerateArray(), static node => Assert.Equal(JsonValueKind.Number, node.GetProperty("position").GetProperty("x").ValueKind));

        run.Ollama.Script(new ScriptRule { Model = "llama3.2", Reply = "roses" });
        var end = await run.RunAsync(workflow.GetRawText(), """{"topic":"rain"}""", from: null);

        Assert.Equal("completed", end.Status);
        Assert.Contains("roses", end.Result!.Value.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Progress_goes_through_the_phases_in_few_writes()
    {
        await using var run = (await GenerationRun.BeginAsync()).Says("no", "never", Good);
        var end = await run.RunAsync("""{"prompt":"Do it"}""");

        Assert.Equal("completed", end.Status);
        Assert.Equal(100, end.Progress);
        Assert.Equal([(0, "analyze", 0), (30, "workflow_generation", 0), (90, "validation", 0), (95, "validation", 1)], run.Face.Told);
    }

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task A_draft_with_errors_goes_back_to_the_model_with_them(string what, string draft, string told)
    {
        await using var run = (await GenerationRun.BeginAsync()).Says(draft, Good);

        var workflow = await run.WorkflowAsync();

        Assert.Equal(3, workflow.GetProperty("nodes").GetArrayLength());
        var first = run.Records.Single(static record => record.Key == "rounds[0].write").Output!.Value;
        Assert.False(first.GetProperty("ok").GetBoolean(), what);
        Assert.Contains(told, first.GetProperty("problems").GetRawText().Replace("\\u0022", "\"", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(2, run.Records.Count(static record => record.Key.EndsWith(".write", StringComparison.Ordinal)));
        var asked = run.Ollama.Stats.Completions;
        Assert.Equal(3, asked);
    }

    [Fact]
    public async Task A_job_fails_with_the_errors_once_its_retries_are_used_up()
    {
        await using var run = (await GenerationRun.BeginAsync()).Says("""{"nodes":[],"edges":[]}""");

        var end = await run.RunAsync("""{"prompt":"Do it","max_retries":2}""");

        Assert.Equal("failed", end.Status);
        Assert.Equal("generation_failed", end.ErrorDetails!.Value.GetProperty("code").GetString());
        Assert.Contains("no_nodes", end.ErrorDetails.Value.GetRawText(), StringComparison.Ordinal);
        Assert.Equal(3, run.Records.Count(static record => record.Key.EndsWith(".write", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task No_retries_means_one_attempt()
    {
        await using var run = (await GenerationRun.BeginAsync()).Says("nothing");
        Assert.Equal("failed", (await run.RunAsync("""{"prompt":"Do it","max_retries":0}""")).Status);
        Assert.Single(run.Records, static record => record.Key.EndsWith(".write", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_credential_is_kept_out_of_what_is_recorded()
    {
        const string secret = "sk-abcdefghijklmnopqrstuvwx";
        await using var run = (await GenerationRun.BeginAsync()).Says(Good.Replace("A poem", "A poem " + secret, StringComparison.Ordinal), Good);
        await run.WorkflowAsync();
        Assert.DoesNotContain(run.Records, static record => record.Output?.GetRawText().Contains(secret, StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task What_is_done_is_not_done_again_after_a_crash()
    {
        await using var run = (await GenerationRun.BeginAsync()).Says("not yet", Good);
        await run.WorkflowAsync();
        var analysis = run.Records.Where(static record => record.Key is "analyze").ToList();
        var before = run.Ollama.Stats.Completions;

        var end = await run.RunAsync("""{"prompt":"Do it"}""", analysis);

        Assert.Equal("completed", end.Status);
        Assert.Equal(1, run.Ollama.Stats.Completions - before);
    }

    [Fact]
    public async Task An_analysis_that_cannot_be_read_is_passed_on_as_text()
    {
        await using var run = await GenerationRun.BeginAsync();
        run.Ollama.Script(new ScriptRule { Model = "mistral:7b", Reply = "I would use a model." });
        run.Ollama.Script(new ScriptRule { Model = "qwen2.5:7b", Reply = Good });
        await run.WorkflowAsync();
        var analysis = run.Records.Single(static record => record.Key == "analyze").Output!.Value;
        Assert.Contains("could not be read", analysis.GetProperty("attempt").GetProperty("fallback").GetString(), StringComparison.Ordinal);
        Assert.Equal("I would use a model.", analysis.GetProperty("analysis").GetProperty("summary").GetString());
    }

    [Theory]
    [InlineData("""{"prompt":""}""", "prompt is empty")]
    [InlineData("""{"prompt":"x","mode":"edit"}""", "no current_workflow")]
    [InlineData("""{"prompt":"x","current_workflow":[1]}""", "current_workflow is an array")]
    [InlineData("""{"prompt":"x","execution_history":{"a":1}}""", "execution_history is an object")]
    [InlineData("""{"prompt":"x","config":"fast"}""", "config is a string")]
    [InlineData("""{"prompt":"x","config":{"temperature":"hot"}}""", "config.temperature")]
    [InlineData("""{"prompt":"x","config":{"node_types":["llm","nope"]}}""", "nope")]
    [InlineData("""{"prompt":"x","max_retries":-1}""", "max_retries")]
    public async Task A_poison_job_fails_at_once_with_the_reason(string inputs, string reason)
    {
        await using var run = (await GenerationRun.BeginAsync()).Says(Good);
        var end = await run.RunAsync(inputs);
        Assert.Equal("failed", end.Status);
        Assert.Equal("invalid_input", end.ErrorDetails!.Value.GetProperty("code").GetString());
        Assert.Contains(reason, end.Error, StringComparison.Ordinal);
        Assert.Equal(0, run.Ollama.Stats.Completions);
    }

    [Fact]
    public async Task What_is_not_asked_to_change_stays_as_it_was()
    {
        await using var run = (await GenerationRun.BeginAsync()).Says(
            """{"nodes":[{"id":"ask","type":"llm","config":{"prompt":"A limerick about {{ inputs.topic }}"}}],"edges":[],"removed":[]}""");
        var current = JsonDocument.Parse(Good.Replace("\"type\":\"llm\"", "\"type\":\"llm\",\"position\":{\"x\":7,\"y\":9},\"retry\":{\"max_attempts\":5}", StringComparison.Ordinal)).RootElement;

        var workflow = await run.WorkflowAsync($$"""{"prompt":"Make it a limerick","mode":"edit","current_workflow":{{current.GetRawText()}}}""");

        var nodes = workflow.GetProperty("nodes");
        Assert.Equal(["start", "ask", "out"], nodes.EnumerateArray().Select(static node => node.GetProperty("id").GetString()!));
        Assert.Equal("A limerick about {{ inputs.topic }}", nodes[1].GetProperty("config").GetProperty("prompt").GetString());
        Assert.Equal("llama3.2", nodes[1].GetProperty("config").GetProperty("model").GetString());
        Assert.Equal(7, nodes[1].GetProperty("position").GetProperty("x").GetInt32());
        Assert.Equal(5, nodes[1].GetProperty("retry").GetProperty("max_attempts").GetInt32());
        Assert.Equal(2, workflow.GetProperty("edges").GetArrayLength());
    }

    [Fact]
    public async Task A_reply_in_the_earlier_editors_form_is_taken_and_runs()
    {
        const string draft = """
            {"name":"Stock","summary":"s","nodes":[
             {"id":"n1","type":"manual_trigger","position":null},
             {"id":"n2","type":"if_else","config":{"condition":"{{input.qty}} < 5"}},
             {"id":"n3","type":"log_output","config":{"message":"Low: {{input.qty}}"}},
             {"id":"n4","type":"log_output","config":{"message":"ok"}}],
             "edges":[{"source":"n1","target":"n2"},{"source":"n2","target":"n3","sourceHandle":"true"},{"source":"n2","target":"n4","sourceHandle":"false"}]}
            """;
        await using var run = (await GenerationRun.BeginAsync()).Says(draft);
        var workflow = await run.WorkflowAsync();
        Assert.True(workflow.GetProperty("nodes")[0].GetProperty("position").GetProperty("x").GetInt32() > 0);
        var end = await run.RunAsync(workflow.GetRawText(), """{"qty":3}""", from: null);
        Assert.Equal("completed", end.Status);
        Assert.Contains("Low: 3", end.Result!.Value.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task History_and_wishes_reach_the_models()
    {
        await using var run = await GenerationRun.BeginAsync();
        run.Ollama.Script(new ScriptRule { PromptContains = "the-last-one-failed", Model = "mistral:7b", Reply = "{}" });
        run.Ollama.Script(new ScriptRule { PromptContains = "in-marathi", Model = "qwen2.5:7b", Reply = Good });
        await run.WorkflowAsync("""{"prompt":"x","execution_history":[{"note":"the-last-one-failed"}],"config":{"language":"in-marathi"}}""");
    }

    [Fact]
    public async Task A_catalogue_of_another_editor_is_generated_for_and_validated_against()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, """
            {"types":[
              {"name":"schedule","category":"triggers","fields":[{"name":"time","type":"string","required":true,"default":"09:00"}]},
              {"name":"if_else","category":"logic","branches":["true","false"],"fields":[{"name":"condition","type":"string","required":true}]},
              {"name":"telegram","category":"output","fields":[{"name":"chat","type":"string","required":true},{"name":"parse","type":"enum","options":["html","plain"]}]}]}
            """, TestContext.Current.CancellationToken);
        try
        {
            await using var run = (await GenerationRun.BeginAsync($"[generation]\ncatalogue = {file}\n")).Says(
                """{"name":"x","nodes":[{"id":"t","type":"schedule"},{"id":"c","type":"if_else","config":{"condition":"{{input.a}}"}},{"id":"s","type":"telegram","config":{"parse":"xml"}}],"edges":[{"source":"t","target":"c"},{"source":"c","target":"s","sourceHandle":"perhaps"}]}""",
                """{"name":"x","nodes":[{"id":"t","type":"schedule"},{"id":"c","type":"if_else","config":{"condition":"{{input.a}}"}},{"id":"s","type":"telegram","config":{"chat":"@me"}}],"edges":[{"from":"t","to":"c"},{"source":"c","target":"s","sourceHandle":"true"}]}""");
            var workflow = await run.WorkflowAsync();
            Assert.Equal("09:00", workflow.GetProperty("nodes")[0].GetProperty("config").GetProperty("time").GetString());
            Assert.Equal("t", workflow.GetProperty("edges")[0].GetProperty("source").GetString());
            var problems = run.Records.Single(static record => record.Key == "rounds[0].write").Output!.Value.GetProperty("problems").GetRawText();
            Assert.Contains("unknown_branch", problems, StringComparison.Ordinal);
            Assert.Contains("missing_config", problems, StringComparison.Ordinal);
            Assert.Contains("wrong_value", problems, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Figures_are_the_servers_own()
    {
        await using var run = (await GenerationRun.BeginAsync()).Says(Good);
        await run.WorkflowAsync();
        var metrics = run.Records.Single(static record => record.Key == "rounds[0].write").Metrics!.Value;
        Assert.True(metrics.GetProperty("tokens_in").GetInt32() > 100);
        Assert.True(metrics.GetProperty("tokens_out").GetInt32() > 10);
        Assert.Equal("qwen2.5:7b", metrics.GetProperty("model").GetString());
    }
}

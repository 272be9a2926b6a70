using System.Text.Json;
using Lekhika.Daemon.Live;
using Lekhika.Daemon.Tests.Configuration;
using Lekhika.Daemon.Tests.Nodes.Support;
using Lekhika.Doubles;
using Lekhika.Workflows.Execution;
using Xunit;

namespace Lekhika.Daemon.Tests.Nodes;

public sealed class LongTextTests
{
    private const string Book = """
        {"nodes":[{"id":"start","type":"trigger"},
          {"id":"write","type":"chapters","config":{"prompt":"CHAPTER {{ item.number }} {{ item.title }} on {{ inputs.topic }}","system":"You write on {{ inputs.topic }}.","chapters":2,"words":"1000-2000"}}],
         "edges":[{"from":"start","to":"write"}]}
        """;

    private static async Task<OllamaDouble> ServerAsync()
    {
        var server = await OllamaDouble.StartAsync(new OllamaDoubleOptions { TokensPerSecond = 0 }, TestContext.Current.CancellationToken);
        server.Script(new ScriptRule
        {
            PromptContains = "exactly 2 chapters",
            Reply = """{"title":"All of tea","chapters":[{"title":"Leaf","outline":"plants"},{"title":"Cup","outline":"brewing"}]}""",
        });
        server.Script(new ScriptRule { PromptContains = "Write the summary of everything", Reply = "Leaves were told." });
        server.Script(new ScriptRule { PromptContains = "CHAPTER 1 Leaf on tea\n\nWhat this chapter is for: plants\n\nWrite about 1000 words.", Reply = "# Chapter 1: Leaf\n\nA leaf <b>grows</b>." });
        server.Script(new ScriptRule { PromptContains = "CHAPTER 2 Cup on tea\n\nWhat this chapter is for: brewing\n\nWhat came before: Leaves were told.", Reply = "A cup is *warm*." });
        return server;
    }

    [Fact]
    public async Task A_long_text_is_planned_and_written_chapter_by_chapter_with_a_summary_of_what_came_before()
    {
        await using var server = await ServerAsync();
        await using var run = new WorkflowRun(server.BaseAddress);
        var result = await run.ResultAsync(Book, """{"topic":"tea"}""");
        Assert.Equal("All of tea", result.GetProperty("title").GetString());
        Assert.Equal(["Leaf", "Cup"], result.GetProperty("chapters").EnumerateArray().Select(static chapter => chapter.GetProperty("title").GetString()!));
        Assert.Equal("A leaf <b>grows</b>.", result.GetProperty("chapters")[0].GetProperty("content").GetString());
        Assert.Equal("# All of tea\n\n## 1. Leaf\n\nA leaf <b>grows</b>.\n\n## 2. Cup\n\nA cup is *warm*.\n", result.GetProperty("text").GetString());
        Assert.Equal(7, result.GetProperty("words").GetInt32());
        Assert.Equal("qwen2.5:7b", result.GetProperty("model").GetString());
        Assert.Equal(4, server.Stats.Completions);
        var live = run.Live.Snapshot();
        Assert.Equal(new LiveChapter(2, 2), live.Chapter);
        Assert.Equal(7, live.Words);
        Assert.Equal(result.GetProperty("tokens_out").GetInt64(), live.TokensOut);

        var records = await run.Journal.StepsAsync(1, 1, TestContext.Current.CancellationToken);
        Assert.Equal(
            ["start", "write", "write[0].chapter", "write[0].summary", "write[1].chapter", "write"],
            records.Select(static record => record.Key));
    }

    [Fact]
    public async Task A_book_goes_on_at_the_chapter_it_had_reached()
    {
        await using var server = await ServerAsync();
        await using var run = new WorkflowRun(server.BaseAddress);
        await run.ResultAsync(Book, """{"topic":"tea"}""");
        var records = await run.Journal.StepsAsync(1, 1, TestContext.Current.CancellationToken);
        var asked = server.Stats.Completions;
        var end = await run.ResumeAsync(records.TakeWhile(static record => record.Key != "write[1].chapter"), Book, """{"topic":"tea"}""");
        Assert.Equal("completed", end.Status);
        Assert.Equal(2, end.Result!.Value.GetProperty("chapters").GetArrayLength());
        Assert.Equal(1, server.Stats.Completions - asked);
        Assert.Contains(end.Steps, static step => step.Key == "write[0].chapter" && step.Status == "completed");
    }

    [Fact]
    public async Task A_plan_made_earlier_is_kept_and_a_lost_summary_does_not_lose_the_book()
    {
        await using var server = await OllamaDouble.StartAsync(new OllamaDoubleOptions { TokensPerSecond = 0 }, TestContext.Current.CancellationToken);
        server.Script(new ScriptRule { PromptContains = "Write the summary of everything", Fault = new DoubleFault { Kind = FaultKind.Status, Status = 400, After = 0 } });
        server.Script(new ScriptRule { PromptContains = "CHAPTER 2 Two", Reply = "after" });
        server.Script(new ScriptRule { PromptContains = "CHAPTER 1 One", Reply = "before" });
        await using var run = new WorkflowRun(server.BaseAddress);
        var result = await run.ResultAsync(WorkflowRun.OneNode("chapters", """
            {"prompt":"CHAPTER {{ item.number }} {{ item.title }} {{ item.previous_titles }}","chapters":"{{ inputs.count }}","title":"Mine",
             "structure":"Here is the plan:\n```json\n{\"chapter_breakdown\":[{\"title\":\"One\"},\"Two\",\"Three\"]}\n```"}
            """), """{"count":"1-2"}""");
        Assert.Equal("Mine", result.GetProperty("title").GetString());
        Assert.Equal(["before", "after"], result.GetProperty("chapters").EnumerateArray().Select(static chapter => chapter.GetProperty("content").GetString()!));
    }

    [Fact]
    public async Task An_editor_edits_each_chapter_by_itself_and_the_output_compiles_them_escaped()
    {
        await using var server = await ServerAsync();
        server.Script(new ScriptRule { PromptContains = "TIGHTEN 1", Reply = "A leaf <i>grew</i>." });
        server.Script(new ScriptRule { PromptContains = "TIGHTEN 2", Reply = "A cup is **hot**." });
        await using var run = new WorkflowRun(server.BaseAddress);
        var result = await run.ResultAsync("""
            {"nodes":[{"id":"start","type":"trigger"},
              {"id":"write","type":"chapters","config":{"prompt":"CHAPTER {{ item.number }} {{ item.title }} on {{ inputs.topic }}","chapters":2,"words":2000}},
              {"id":"edit","type":"refine","config":{"source":"{{ previous }}","prompt":"TIGHTEN {{ item.number }}: {{ item.text }}"}},
              {"id":"end","type":"output","config":{"from":"edit","format":"html","formats":["md","text","json","epub"],"author":"A & B","toc":true}}],
             "edges":[{"from":"start","to":"write"},{"from":"write","to":"edit"},{"from":"edit","to":"end"}]}
            """, """{"topic":"tea"}""");
        var html = result.GetProperty("content").GetString()!;
        Assert.Contains("<h2>1. Leaf</h2>\n<p>\nA leaf &lt;i&gt;grew&lt;/i&gt;.\n</p>", html, StringComparison.Ordinal);
        Assert.Contains("<strong>hot</strong>", html, StringComparison.Ordinal);
        Assert.Contains("A &amp; B", html, StringComparison.Ordinal);
        Assert.Contains("<a href=\"#section-2\">2. Cup</a>", html, StringComparison.Ordinal);
        var formats = result.GetProperty("formats");
        Assert.StartsWith("# All of tea\n\n*A & B*\n\n- 1. Leaf\n- 2. Cup\n\n## 1. Leaf", formats.GetProperty("markdown").GetString(), StringComparison.Ordinal);
        Assert.EndsWith("2. Cup\n\nA cup is hot.\n", formats.GetProperty("text").GetString(), StringComparison.Ordinal);
        using var json = JsonDocument.Parse(formats.GetProperty("json").GetString()!);
        Assert.Equal(2, json.RootElement.GetProperty("chapters").GetArrayLength());
        Assert.Contains("'epub' is not made here", result.GetProperty("warnings")[0].GetString(), StringComparison.Ordinal);
        Assert.Equal(2, result.GetProperty("chapters").GetArrayLength());

        // What is edited stays where it was written: the decision names the pieces only.
        var records = await run.Journal.StepsAsync(1, 1, TestContext.Current.CancellationToken);
        var opened = records.Single(static record => record.Key == "edit" && record.Outcome == StepOutcome.Opened);
        Assert.DoesNotContain("grows", opened.Decision!.Value.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_output_that_says_nothing_keeps_what_came_before_and_adds_the_document()
    {
        await using var server = await OllamaDouble.StartAsync(new OllamaDoubleOptions { TokensPerSecond = 0 }, TestContext.Current.CancellationToken);
        server.Script(new ScriptRule { Reply = "Two words" });
        await using var run = new WorkflowRun(server.BaseAddress);
        var result = await run.ResultAsync("""
            {"nodes":[{"id":"start","type":"trigger"},{"id":"ask","type":"llm","config":{"prompt":"Hi"}},{"id":"end","type":"output"}],
             "edges":[{"from":"start","to":"ask"},{"from":"ask","to":"end"}]}
            """);
        Assert.Equal("Two words", result.GetProperty("text").GetString());
        Assert.Equal("Two words\n", result.GetProperty("content").GetString());
        Assert.Equal(2, result.GetProperty("words").GetInt32());
    }

    [Theory]
    [InlineData("lekhika-four-nodes.json")]
    [InlineData("lekhika-transcript-to-book.json")]
    public async Task The_flows_of_the_earlier_editor_run_to_a_compiled_book(string sample)
    {
        var file = Path.GetFullPath(Path.Combine(RepositoryFiles.Root, "..", "shared", "data", "samples", sample));
        if (!File.Exists(file)) Assert.Skip($"{file} is not here");
        var flow = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
        await using var server = await OllamaDouble.StartAsync(new OllamaDoubleOptions { TokensPerSecond = 0 }, TestContext.Current.CancellationToken);
        await using var run = new WorkflowRun(server.BaseAddress);
        using var document = JsonDocument.Parse(flow);
        var compiled = run.Compiler.Compile(document.RootElement);
        Assert.True(compiled.Workflow is not null, string.Join("\n", compiled.Errors));
        var result = await run.ResultAsync(flow, Inputs(compiled.Workflow!.Plan));
        Assert.Equal(3, result.GetProperty("chapters").GetArrayLength());
        Assert.Contains("3. " + result.GetProperty("chapters")[2].GetProperty("title").GetString(), result.GetProperty("content").GetString(), StringComparison.Ordinal);
        Assert.True(result.GetProperty("words").GetInt32() > 50);
    }

    /// <summary>Something for every field of the trigger, and a number of chapters.</summary>
    private static string Inputs(WorkflowPlan plan)
    {
        var inputs = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        using var text = JsonDocument.Parse("\"Tea\"");
        var trigger = plan.Nodes.First(static node => node.Definition.Type == "trigger").Definition.Config;
        if (trigger.TryGetProperty("fields", out var fields))
        {
            foreach (var field in fields.EnumerateArray())
            {
                var hasOptions = field.TryGetProperty("options", out var options) && options.GetArrayLength() > 0;
                inputs[field.GetProperty("name").GetString()!] = hasOptions ? options[0].Clone() : text.RootElement.Clone();
            }
        }

        var written = inputs.Where(static input => input.Key is not ("chapter_count" or "chapterCount"))
            .Select(static input => $"{JsonSerializer.Serialize(input.Key)}:{(input.Value.ValueKind == JsonValueKind.Object ? input.Value.GetProperty("value") : input.Value).GetRawText()}");
        return "{" + string.Join(',', written.Append("\"chapter_count\":3")) + "}";
    }
}

using System.Text.Json;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Dashboard.Tests.Support;
using Lekhika.Doubles;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Lekhika.Dashboard.Tests;

public sealed class ExecutionTests(Servers servers, Chromium chromium)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static OllamaDoubleOptions Steady => Desk.Steady with { LoadTime = TimeSpan.FromMilliseconds(400) };

    [Fact]
    public async Task The_graph_follows_the_running_node_and_its_text_streams_in()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium, ollama: Steady);
        var page = desk.Page;
        var id = await desk.SubmitWorkflowAsync(Flows.Chain(Flows.Slowly(200, 40, "first"), Flows.Slowly(200, 40, "second")));
        await desk.GoAsync($"executions/{id}");
        var side = page.GetByRole(AriaRole.Region, new() { Name = "Details" });
        await Expect(page.Locator(".node.s-running.chosen")).ToHaveAttributeAsync("aria-label", "a, llm, running");
        await Expect(side.Locator(".prose.live")).ToBeVisibleAsync();
        var before = (await side.Locator(".prose.live").TextContentAsync())!.Length;
        await page.WaitForFunctionAsync("n => (document.querySelector('.prose.live')?.textContent.length ?? 0) > n + 20", before);
        await Expect(side.Locator("dt", new() { HasText = "Tokens/s" })).ToBeVisibleAsync();
        await Expect(page.Locator(".node.s-running.chosen")).ToHaveAttributeAsync("aria-label", "b, llm, running");
        await Expect(page.Locator(".node.s-completed")).ToHaveCountAsync(1);
        await Desk.PictureAsync(page, "execution-running");
        await Expect(page.Locator("h1 + .state")).ToHaveTextAsync("completed");
        await Expect(page.Locator(".node.s-completed")).ToHaveCountAsync(2);

        await page.GetByRole(AriaRole.Tab, new() { Name = "Timeline" }).ClickAsync();
        await Expect(page.Locator(".gantt-row .seg.generation")).ToHaveCountAsync(2);
        await Expect(page.Locator(".gantt-row .seg.load").First).ToBeVisibleAsync();
        await Desk.PictureAsync(page, "execution-timeline");
        desk.NobodyComplained();
    }

    [Fact]
    public async Task Markup_and_script_in_names_prompts_outputs_and_errors_show_as_text()
    {
        const string evil = "<img src=x onerror=alert(1)><script>alert(2)</script><b>bold</b>";
        await using var desk = await Desk.SitDownAsync(servers, chromium);
        var page = desk.Page;
        var definition = JsonSerializer.Serialize(new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["name"] = evil,
            ["nodes"] = new object[]
            {
                new { id = "say", type = "llm", name = evil, config = new { model = "llama3.2", prompt = $"[[double:reply:{evil}]]" } },
                new { id = "stop", type = "stop_and_error", name = "</title>" + evil, config = new { message = evil } },
            },
            ["edges"] = new object[] { new { from = "say", to = "stop" } },
        });
        var stored = await desk.StoreAsync(evil, definition);
        var id = await desk.SubmitAsync($$$"""{"workflowId":"{{{stored}}}","userId":{{{JsonSerializer.Serialize(evil)}}},"inputs":{"x":{{{JsonSerializer.Serialize(evil)}}}}}""");
        await desk.Scene.EndAsync(id);
        foreach (var place in (string[])["executions", $"executions/{id}", $"executions/{id}?node=say", "workflows", $"workflows/{stored}", $"workflows/new?from={stored}", "machines"])
        {
            await desk.GoAsync(place);
            if (place != "machines") await Expect(page.GetByText("<b>bold</b>").First).ToBeAttachedAsync();
            Assert.Equal(0, await page.Locator("main b:text('bold'), main img, main script").CountAsync());
        }

        desk.NobodyComplained();
    }

    [Fact]
    public async Task Sixty_four_bit_numbers_are_shown_copied_and_saved_as_they_are()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium);
        var page = desk.Page;
        var id = await desk.SubmitWorkflowAsync(
            """{"nodes":[{"id":"a","type":"set","config":{"values":{"big":"{{ inputs.big }}","price":"{{ inputs.price }}"}}}],"edges":[]}""",
            ""","inputs":{"big":9223372036854775807,"price":1.10}""");
        var row = await desk.Scene.EndAsync(id);
        Assert.Contains("9223372036854775807", row.Result, StringComparison.Ordinal);
        await desk.GoAsync($"executions/{id}?node=a");
        var side = page.GetByRole(AriaRole.Region, new() { Name = "Details" });
        await Expect(side.Locator(".json").First).ToContainTextAsync("9223372036854775807");
        await side.GetByRole(AriaRole.Button, new() { Name = "Copy JSON" }).First.ClickAsync();
        await Expect(page.Locator(".toast")).ToContainTextAsync("copied");
        Assert.Contains("9223372036854775807", await page.EvaluateAsync<string>("navigator.clipboard.readText()"), StringComparison.Ordinal);
        var saved = await page.RunAndWaitForDownloadAsync(() => side.GetByRole(AriaRole.Button, new() { Name = "Download as JSON" }).First.ClickAsync());
        Assert.Contains("9223372036854775807", await File.ReadAllTextAsync((await saved.PathAsync())!, Cancellation), StringComparison.Ordinal);

        // The same inputs again, digit for digit.
        await page.GetByRole(AriaRole.Button, new() { Name = "Run again" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Run", Exact = true }).ClickAsync();
        await page.WaitForFunctionAsync($"() => location.hash.startsWith('#/executions/') && !location.hash.includes('{id}')");
        var again = Guid.Parse(page.Url.Split("executions/")[1][..36]);
        Assert.Contains("9223372036854775807", (await desk.Scene.EndAsync(again)).Result, StringComparison.Ordinal);
        desk.NobodyComplained();
    }

    [Fact]
    public async Task It_is_paused_resumed_and_stopped_and_the_page_tells_why_it_waits()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium, ollama: Steady);
        var page = desk.Page;
        var id = await desk.SubmitWorkflowAsync(Flows.Chain(Flows.Slowly(60, 30, "first"), Flows.Slowly(4000, 30, "second")));
        await desk.GoAsync($"executions/{id}");
        var status = page.Locator("h1 + .state");
        await Expect(page.Locator(".node.s-running")).ToHaveCountAsync(1);
        await page.GetByRole(AriaRole.Button, new() { Name = "Pause", Exact = true }).ClickAsync();
        await Expect(page.Locator(".alert.wait").Last).ToContainTextAsync("paused");
        await Expect(status).ToHaveTextAsync("paused");
        await page.GetByRole(AriaRole.Button, new() { Name = "Resume", Exact = true }).ClickAsync();
        await Expect(page.Locator(".node.s-running")).ToHaveAttributeAsync("aria-label", "b, llm, running");
        await page.GetByRole(AriaRole.Button, new() { Name = "Stop" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Stop" }).ClickAsync();
        await Expect(status).ToHaveTextAsync("cancelled");
        Assert.Equal("cancelled", await desk.Scene.StatusAsync(id));

        var waits = await desk.SubmitWorkflowAsync("""{"nodes":[{"id":"w","type":"delay","name":"A long wait","config":{"for":"2h"}}],"edges":[]}""");
        await desk.GoAsync($"executions/{waits}");
        await Expect(page.Locator(".alert.wait").Last).ToContainTextAsync("“A long wait” waits until");
        var later = await desk.SubmitWorkflowAsync(Flows.Trivial, ""","runAt":"2030-01-01T00:00:00Z" """);
        await desk.GoAsync($"executions/{later}");
        await Expect(page.Locator(".alert.wait").Last).ToContainTextAsync("It begins at");
        desk.NobodyComplained();
    }

    [Theory]
    [InlineData("Approve", "approve")]
    [InlineData("Reject", "reject")]
    public async Task Somebody_decides_with_a_comment(string button, string branch)
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium);
        Assert.SkipUnless((await desk.Daemon.PostAsync($"approve/{Guid.NewGuid()}", "{}", Cancellation)).Body.GetRawText()
            .Contains("execution_not_found", StringComparison.Ordinal), "this daemon has no /approve yet");
        var id = await desk.SubmitWorkflowAsync("""
            {"nodes":[{"id":"ok","type":"approval","name":"May it go out?","config":{"message":"Look at <b>this</b>","timeout":"1h","default":"reject"}},
                      {"id":"yes","type":"set","config":{"values":{"went":"approve"}}},{"id":"no","type":"set","config":{"values":{"went":"reject"}}}],
             "edges":[{"from":"ok","to":"yes","when":"approve"},{"from":"ok","to":"no","when":"reject"}]}
            """);
        var page = desk.Page;
        await desk.GoAsync($"executions/{id}");
        var card = page.GetByRole(AriaRole.Region, new() { Name = "Approval" });
        await Expect(card).ToContainTextAsync("Look at <b>this</b>");
        await Desk.PictureAsync(page, "execution-approval");
        await card.GetByLabel("Comment").FillAsync("because I say so");
        await card.GetByRole(AriaRole.Button, new() { Name = button }).ClickAsync();
        Assert.Equal("completed", (await desk.Scene.EndAsync(id)).Status);
        await Expect(page.Locator("h1 + .state")).ToHaveTextAsync("completed");
        await Expect(page.Locator(".node.s-skipped")).ToHaveCountAsync(1);
        var (_, steps) = await desk.Daemon.GetAsync($"executions/{id}/steps", Cancellation);
        Assert.Contains("because I say so", steps.GetRawText(), StringComparison.Ordinal);
        Assert.Contains(steps.GetProperty("steps").EnumerateArray(), step => step.GetProperty("branch").ToString() == branch);
        desk.NobodyComplained();
    }

    [Fact]
    public async Task A_failed_one_shows_its_error_first_and_is_retried_from_a_node()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium);
        var id = await desk.SubmitWorkflowAsync("""
            {"nodes":[{"id":"a","type":"set","name":"First","config":{"values":{"x":1}}},{"id":"b","type":"stop_and_error","name":"Second","config":{"message":"it broke"}}],"edges":[{"from":"a","to":"b"}]}
            """);
        await desk.Scene.EndAsync(id);
        var page = desk.Page;
        await desk.GoAsync($"executions/{id}");
        await Expect(page.GetByRole(AriaRole.Alert).First).ToContainTextAsync("it broke");
        var side = page.GetByRole(AriaRole.Region, new() { Name = "Details" });
        await Expect(side.GetByRole(AriaRole.Heading, new() { Name = "Second" })).ToBeVisibleAsync();
        await Expect(side.GetByRole(AriaRole.Alert)).ToContainTextAsync("it broke");
        Assert.SkipUnless((await desk.Daemon.PostAsync($"retry/{Guid.NewGuid()}", "{}", Cancellation)).Body.GetRawText()
            .Contains("execution_not_found", StringComparison.Ordinal), "this daemon has no /retry yet");
        await page.Locator(".node").First.ClickAsync();
        await side.GetByRole(AriaRole.Button, new() { Name = "Retry from here" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Retry" }).ClickAsync();
        await desk.Scene.UntilAsync(id, static row => row is { Run: 2, IsOver: true });
        await Expect(page.GetByText("run 2")).ToBeVisibleAsync();
        Assert.Equal(2, (await desk.Scene.StepsAsync(id)).Count(static step => step.StartsWith("a ", StringComparison.Ordinal)));
        desk.NobodyComplained();
    }

    [Fact]
    public async Task What_is_not_there_is_told()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium);
        await desk.GoAsync($"executions/{Guid.NewGuid()}");
        await Expect(desk.Page.GetByText("There is no such execution")).ToBeVisibleAsync();
        await desk.GoAsync("nowhere");
        await Expect(desk.Page.GetByText("There is no such page")).ToBeVisibleAsync();
    }
}

using System.Text.RegularExpressions;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Dashboard.Tests.Support;
using Lekhika.Doubles;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Lekhika.Dashboard.Tests;

/// <summary>Somebody watches an execution, reads, writes and looks around meanwhile.</summary>
public sealed class WatchingTests(Servers servers, Chromium chromium)
{
    private const string Each = """
        {"name":"Many","nodes":[{"id":"each","type":"map","config":{"items":"{{ ['a','b','c','d'] }}","concurrency":1,
          "body":{"nodes":[{"id":"say","type":"llm","config":{"model":"llama3.2","prompt":"{{ item }} [[double:tokens:80]] [[double:speed:40]]"}}],"edges":[]}}}],"edges":[]}
        """;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static Regex Node(string id) => new($"[?]node={id}$", RegexOptions.None, TimeSpan.FromSeconds(1));

    private static Regex Whole(Guid id) => new($"#/executions/{id}$", RegexOptions.None, TimeSpan.FromSeconds(1));

    [Fact]
    public async Task Ids_of_nodes_may_hold_what_step_keys_escape()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium);
        var page = desk.Page;
        var id = await desk.SubmitWorkflowAsync("""
            {"nodes":[{"id":"a.b","type":"set","config":{"values":{"x":"of the dot"}}},{"id":"c[0]","type":"set","config":{"values":{"x":1}}},{"id":"d\\e","type":"set","config":{"values":{"x":1}}},
                      {"id":"m.n","type":"map","config":{"items":"{{ ['a','b'] }}","body":{"nodes":[{"id":"in.side","type":"set","config":{"values":{"y":2}}}],"edges":[]}}}],
             "edges":[{"from":"a.b","to":"c[0]"},{"from":"c[0]","to":"d\\e"},{"from":"d\\e","to":"m.n"}]}
            """);
        await desk.Scene.EndAsync(id);
        await desk.GoAsync($"executions/{id}?node=a.b");
        await Expect(page.Locator(".node.s-completed")).ToHaveCountAsync(4);
        var side = page.GetByRole(AriaRole.Region, new() { Name = "Details" });
        await Expect(side.Locator(".json").First).ToContainTextAsync("of the dot");
        await page.Locator(".node[aria-label^='m.n']").ClickAsync();
        await Expect(side.GetByText("2 steps inside")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Tab, new() { Name = "Timeline" }).ClickAsync();
        await page.Locator(".gantt-row", new() { HasText = @"d\\e" }).ClickAsync();
        await Expect(side.GetByRole(AriaRole.Heading, new() { Name = @"d\e" })).ToBeVisibleAsync();
        desk.NobodyComplained();
    }

    [Fact]
    public async Task Whoever_follows_to_the_end_sees_the_result_and_finds_back_to_it_from_a_node()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium, ollama: Desk.Steady);
        var page = desk.Page;
        var id = await desk.SubmitWorkflowAsync(Flows.Chain(Flows.Slowly(40, 40, "first"), Flows.Slowly(80, 40, "second")));
        await desk.GoAsync($"executions/{id}");
        await Expect(page.Locator(".node.s-running.chosen")).ToHaveCountAsync(1);
        var result = page.GetByRole(AriaRole.Region, new() { Name = "Details" }).GetByRole(AriaRole.Heading, new() { Name = "Result" });
        await Expect(result).ToBeVisibleAsync();
        await Expect(page.Locator(".node.chosen")).ToHaveCountAsync(0);
        await Desk.PictureAsync(page, "execution-result");

        await page.Locator(".node").First.ClickAsync();
        await Expect(page).ToHaveURLAsync(Node("a"));
        await page.ReloadAsync();
        await Expect(page.Locator(".node.chosen")).ToHaveCountAsync(1);
        await Desk.PictureAsync(page, "execution-node");
        await page.GetByRole(AriaRole.Button, new() { Name = "Result", Exact = true }).ClickAsync();
        await Expect(result).ToBeVisibleAsync();
        await Expect(page).ToHaveURLAsync(Whole(id));

        await page.Locator(".node").First.ClickAsync();
        await Expect(result).ToBeHiddenAsync();
        await page.Keyboard.PressAsync("Escape");
        await Expect(result).ToBeVisibleAsync();

        await page.Locator(".node").First.ClickAsync();
        await Expect(result).ToBeHiddenAsync();
        var graph = (await page.Locator(".graph").BoundingBoxAsync())!;
        await page.Mouse.MoveAsync(graph.X + 20, graph.Y + 20);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(graph.X + 60, graph.Y + 40, new() { Steps = 8 });
        await page.Mouse.UpAsync();
        await Expect(page.Locator(".node.chosen")).ToHaveCountAsync(1);
        await page.Mouse.ClickAsync(graph.X + 20, graph.Y + 20);
        await Expect(result).ToBeVisibleAsync();
        desk.NobodyComplained();
    }

    [Fact]
    public async Task What_one_has_opened_inside_a_loop_stays_open_and_focused_while_the_rest_goes_on()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium, ollama: Desk.Steady);
        var page = desk.Page;
        var id = await desk.SubmitWorkflowAsync(Each);
        await desk.GoAsync($"executions/{id}?node=each");
        var first = page.Locator("details.fold", new() { HasText = "each[0].say" });
        var second = page.Locator("details.fold", new() { HasText = "each[1].say" });
        await Expect(second.Locator("summary .s-running")).ToHaveCountAsync(1);
        await Expect(second.Locator(".prose.live")).ToBeVisibleAsync();
        // What ran before has closed again by itself; somebody opens it.
        await Expect(first).Not.ToHaveAttributeAsync("open", "");
        await first.Locator("summary").First.ClickAsync();
        await first.Locator("summary", new() { HasText = "As JSON" }).ClickAsync();
        await first.EvaluateAsync("e => { e.mine = true; }");
        await Expect(page.Locator("details.fold", new() { HasText = "each[2].say" }).Locator(".prose.live")).ToBeVisibleAsync();
        await Expect(second).Not.ToHaveAttributeAsync("open", "");
        await desk.Scene.EndAsync(id);
        await Expect(page.Locator("h1 + .state")).ToHaveTextAsync("completed");
        await Expect(page.Locator("details.fold > summary > .s-completed")).ToHaveCountAsync(4);
        Assert.True(await first.EvaluateAsync<bool>("e => e.mine && e.open && [...e.querySelectorAll('details')].some(d => d.open) && e.contains(document.activeElement)"));
        desk.NobodyComplained();
    }

    [Fact]
    public async Task A_hiccup_of_the_stream_leaves_a_half_typed_comment_alone()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium);
        var page = desk.Page;
        await page.AddInitScriptAsync("window.streams = []; window.EventSource = class extends EventSource { constructor(url) { super(url); window.streams.push(this); } };");
        await page.ReloadAsync();
        var id = await desk.SubmitWorkflowAsync("""{"nodes":[{"id":"ok","type":"approval","name":"May it go out?","config":{"message":"Look"}}],"edges":[]}""");
        await desk.GoAsync($"executions/{id}");
        var comment = page.GetByRole(AriaRole.Region, new() { Name = "Approval" }).GetByLabel("Comment");
        await comment.PressSequentiallyAsync("because");
        await page.EvaluateAsync("() => window.streams.at(-1).dispatchEvent(new Event('error'))");
        await Expect(page.GetByText("The live picture is interrupted")).ToBeVisibleAsync();
        await page.Keyboard.TypeAsync(" I say so");
        await page.EvaluateAsync("() => window.streams.at(-1).dispatchEvent(new Event('open'))");
        await Expect(page.GetByText("The live picture is interrupted")).ToBeHiddenAsync();
        await Expect(comment).ToHaveValueAsync("because I say so");
        await Expect(comment).ToBeFocusedAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync();
        await desk.Scene.EndAsync(id);
        var (_, steps) = await desk.Daemon.GetAsync($"executions/{id}/steps", Cancellation);
        Assert.Contains("because I say so", steps.GetRawText(), StringComparison.Ordinal);
        desk.NobodyComplained();
    }

    [Fact]
    public async Task A_row_of_the_timeline_keeps_the_focus_while_time_goes_on()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium, ollama: Desk.Steady);
        var page = desk.Page;
        var id = await desk.SubmitWorkflowAsync(Flows.OneModel(Flows.Slowly(4000, 40)));
        await desk.GoAsync($"executions/{id}");
        await page.GetByRole(AriaRole.Tab, new() { Name = "Timeline" }).ClickAsync();
        var row = page.Locator("button.gantt-row").First;
        await row.FocusAsync();
        await row.EvaluateAsync("e => { e.old = true; }");
        await page.WaitForFunctionAsync("() => !document.querySelector('button.gantt-row').old");
        await Expect(row).ToBeFocusedAsync();
        desk.NobodyComplained();
    }
}

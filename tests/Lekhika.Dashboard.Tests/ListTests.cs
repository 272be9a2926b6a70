using System.Text.RegularExpressions;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Dashboard.Tests.Support;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Lekhika.Dashboard.Tests;

public sealed class ListTests(Servers servers, Chromium chromium)
{
    private const string Waits = """{"name":"Waits","nodes":[{"id":"w","type":"delay","config":{"for":"1h"}}],"edges":[]}""";

    private const string Fails = """{"name":"Fails","nodes":[{"id":"s","type":"stop_and_error","config":{"message":"no <b>such</b> luck"}}],"edges":[]}""";

    [Fact]
    public async Task What_happens_appears_by_itself_and_counters_and_search_lead_there_by_the_address()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium);
        var page = desk.Page;
        await Expect(page.GetByText("No executions yet")).ToBeVisibleAsync();
        await Desk.PictureAsync(page, "executions-empty");
        await desk.SubmitWorkflowAsync(Flows.Trivial);
        await desk.SubmitWorkflowAsync(Fails, ""","userId":"anna" """);
        await desk.SubmitWorkflowAsync(Waits, ""","userId":"ben" """);
        var rows = page.Locator("tbody tr");
        await Expect(rows).ToHaveCountAsync(3);
        await Expect(rows.Nth(1)).ToContainTextAsync("no <b>such</b> luck");

        var counters = page.GetByRole(AriaRole.Navigation, new() { Name = "By status" });
        await counters.GetByRole(AriaRole.Link, new() { Name = "failed" }).ClickAsync();
        await Expect(rows).ToHaveCountAsync(1);
        Assert.Contains("q=status%3Afailed", page.Url, StringComparison.Ordinal);
        await Expect(counters.GetByRole(AriaRole.Link, new() { Name = "failed" })).ToHaveAttributeAsync("aria-current", "page");

        await page.Keyboard.PressAsync("/");
        await Expect(page.GetByRole(AriaRole.Searchbox)).ToBeFocusedAsync();
        await page.GetByRole(AriaRole.Searchbox).FillAsync("user:ben");
        await page.Keyboard.PressAsync("Enter");
        await Expect(rows).ToHaveCountAsync(1);
        await Expect(rows.First).ToContainTextAsync("Waits");
        await page.ReloadAsync();
        await Expect(page.GetByRole(AriaRole.Searchbox)).ToHaveValueAsync("user:ben");
        await Expect(rows).ToHaveCountAsync(1);
        await page.GoBackAsync();
        await Expect(rows.First).ToContainTextAsync("Fails");

        await page.GotoAsync($"{desk.Url}#/executions?q=status:failed+user:nobody");
        await Expect(page.GetByText("Nothing fits this search")).ToBeVisibleAsync();
        desk.NobodyComplained();
    }

    [Fact]
    public async Task Counters_say_what_the_rows_beside_them_say()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium);
        var page = desk.Page;
        await Expect(page.GetByText("No executions yet")).ToBeVisibleAsync();
        var counters = page.GetByRole(AriaRole.Navigation, new() { Name = "By status" });
        // The page asks for nothing by itself any more, which would put things right in time.
        await page.GetByTitle("Pause live updates").ClickAsync();
        for (var made = 3; made <= 9; made += 3)
        {
            // Somebody else has just asked for the figures.
            await desk.Daemon.GetAsync("executions/counts", TestContext.Current.CancellationToken);
            await desk.Scene.Database.ExecuteAsync(
                "INSERT INTO lekhika.workflow_executions (definition, run_at) SELECT $1::jsonb, now() + interval '1 day' FROM generate_series(1, 3)",
                TestContext.Current.CancellationToken, Flows.Trivial);
            await page.Locator("body").PressAsync("r");
            await Expect(page.Locator("tbody tr")).ToHaveCountAsync(made);
            await Expect(counters.GetByRole(AriaRole.Link, new() { Name = "pending" })).ToContainTextAsync($"{made}");
        }

        desk.NobodyComplained();
    }

    [Fact]
    public async Task Pages_follow_each_other_without_a_gap()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium);
        await desk.Scene.Database.ExecuteAsync(
            "INSERT INTO lekhika.workflow_executions (definition, inputs) SELECT $1::jsonb, jsonb_build_object('n', n) FROM generate_series(1, 120) n",
            TestContext.Current.CancellationToken, Flows.Trivial);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var page = desk.Page;
        var rows = page.Locator("tbody tr");
        foreach (var expected in (int[])[50, 50, 20])
        {
            await Expect(rows).ToHaveCountAsync(expected);
            foreach (var link in await rows.Locator("a.name").AllAsync()) Assert.True(seen.Add((await link.GetAttributeAsync("href"))!));
            if (expected < 50) break;
            await page.GetByRole(AriaRole.Link, new() { Name = "Older" }).ClickAsync();
            await Expect(page.Locator($"a.name[href='{seen.Last()}']")).ToHaveCountAsync(0);
        }

        Assert.Equal(120, seen.Count);
        await page.GetByRole(AriaRole.Link, new() { Name = "Newest" }).ClickAsync();
        await Expect(page.Locator($"a.name[href='{seen.First()}']")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task Several_are_cancelled_together_after_a_question_and_nothing_moves_while_one_selects()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium);
        var page = desk.Page;
        var ids = new[] { await desk.SubmitWorkflowAsync(Waits), await desk.SubmitWorkflowAsync(Waits), await desk.SubmitWorkflowAsync(Waits) };
        var rows = page.Locator("tbody tr");
        await Expect(rows.Filter(new() { HasText = "waiting" })).ToHaveCountAsync(3);
        await rows.Nth(0).GetByRole(AriaRole.Checkbox).CheckAsync();
        await rows.Nth(1).GetByRole(AriaRole.Checkbox).CheckAsync();
        await Expect(page.GetByText("paused while you select")).ToBeVisibleAsync();
        var late = await desk.SubmitWorkflowAsync(Flows.Trivial);
        await desk.Scene.EndAsync(late);
        await page.WaitForResponseAsync(static response => response.Url.EndsWith("/status", StringComparison.Ordinal));
        await page.WaitForResponseAsync(static response => response.Url.EndsWith("/status", StringComparison.Ordinal));
        await Expect(rows).ToHaveCountAsync(3);

        var bulk = page.GetByRole(AriaRole.Region, new() { Name = "Selection" });
        await Expect(bulk).ToContainTextAsync("2 selected");
        await bulk.GetByRole(AriaRole.Button, new() { Name = "Cancel 2" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Not now" }).ClickAsync();
        Assert.Equal("waiting", await desk.Scene.StatusAsync(ids[2]));
        await bulk.GetByRole(AriaRole.Button, new() { Name = "Cancel 2" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Cancel them" }).ClickAsync();
        await desk.Scene.UntilAsync(ids[2], "cancelled");
        await desk.Scene.UntilAsync(ids[1], "cancelled");
        await Expect(rows.Filter(new() { HasText = "cancelled" })).ToHaveCountAsync(2);
        Assert.Equal("waiting", await desk.Scene.StatusAsync(ids[0]));
        await Expect(bulk).ToBeHiddenAsync();
        await Expect(rows).ToHaveCountAsync(4);
        desk.NobodyComplained();
    }

    [Fact]
    public async Task Failed_ones_are_retried_together()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium);
        var id = await desk.SubmitWorkflowAsync(Fails);
        await desk.Scene.EndAsync(id);
        Assert.SkipUnless((await desk.Daemon.PostAsync($"retry/{Guid.NewGuid()}", "{}", TestContext.Current.CancellationToken)).Body.GetRawText()
            .Contains("execution_not_found", StringComparison.Ordinal), "this daemon has no /retry yet");
        var row = desk.Page.Locator("tbody tr").First;
        await row.GetByRole(AriaRole.Checkbox).CheckAsync();
        await desk.Page.GetByRole(AriaRole.Button, new() { Name = "Retry 1" }).ClickAsync();
        await desk.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Retry" }).ClickAsync();
        await desk.Scene.UntilAsync(id, static ended => ended is { Run: 2, IsOver: true });
        await Expect(row).ToContainTextAsync("run 2");
    }

    [Fact]
    public async Task Keys_lead_through_the_list()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium);
        var first = await desk.SubmitWorkflowAsync(Flows.Trivial);
        var second = await desk.SubmitWorkflowAsync(Flows.Trivial);
        var page = desk.Page;
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(2);
        await page.Locator("body").PressAsync("j");
        await Expect(page.Locator($"a[href='#/executions/{second}']")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("j");
        await page.Keyboard.PressAsync("x");
        await Expect(page.Locator("tbody tr").Nth(1).GetByRole(AriaRole.Checkbox)).ToBeCheckedAsync();
        await page.Keyboard.PressAsync("x");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page).ToHaveURLAsync(new Regex($"#/executions/{first}$", RegexOptions.None, TimeSpan.FromSeconds(1)));
        await page.Keyboard.PressAsync("g");
        await page.Keyboard.PressAsync("m");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Machines" })).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("?");
        await Expect(page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("next and previous row");
        await page.Keyboard.PressAsync("Escape");
        await Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);
        desk.NobodyComplained();
    }
}

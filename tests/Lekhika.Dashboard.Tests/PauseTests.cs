using System.Text.Json.Nodes;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Dashboard.Tests.Support;
using Lekhika.Doubles;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Lekhika.Dashboard.Tests;

/// <summary>What moves by itself can be held still (WCAG 2.2.2), and keys of one letter switched off (WCAG 2.1.4).</summary>
public sealed class PauseTests(Servers servers, Chromium chromium)
{
    [Fact]
    public async Task A_pause_holds_an_execution_still_and_catches_up_afterwards()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium, ollama: Desk.Steady);
        var page = desk.Page;
        var id = await desk.SubmitWorkflowAsync(Flows.Chain(Flows.Slowly(200, 40, "first"), Flows.Slowly(4000, 40, "second")));
        await desk.GoAsync($"executions/{id}");
        await Expect(page.Locator(".prose.live")).ToBeVisibleAsync();
        await page.GetByTitle("Pause live updates").ClickAsync();
        await Expect(page.GetByText("Live updates are paused")).ToBeVisibleAsync();
        Assert.Equal("paused", await page.Locator(".turn").First.EvaluateAsync<string>("e => getComputedStyle(e).animationPlayState"));
        var before = await page.Locator("main").TextContentAsync();
        // The first node has ended meanwhile, and beats of the pulse have come.
        await desk.Scene.UntilSqlAsync<long>("SELECT count(*) FROM lekhika.execution_steps WHERE execution_id = $1 AND step_key = 'a' AND outcome = 'succeeded'", static found => found == 1, 20, id);
        await BeatsAsync(page, 2);
        Assert.Equal(before, await page.Locator("main").TextContentAsync());
        await page.GetByTitle("Resume live updates").ClickAsync();
        await Expect(page.Locator(".node.s-running.chosen")).ToHaveAttributeAsync("aria-label", "b, llm, running");
        await Expect(page.Locator(".prose.live")).ToBeVisibleAsync();
        await Expect(page.GetByText("Live updates are paused")).ToBeHiddenAsync();
        var length = (await page.Locator(".prose.live").TextContentAsync())!.Length;
        await page.WaitForFunctionAsync("n => document.querySelector('.prose.live').textContent.length > n + 20", length);
        desk.NobodyComplained();
    }

    [Fact]
    public async Task A_pause_holds_machines_still_but_draws_them_once()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium);
        var page = desk.Page;
        await Expect(page.Locator(".health")).ToContainTextAsync("slots");
        await page.GetByTitle("Pause live updates").ClickAsync();
        await desk.GoAsync("machines");
        var card = page.Locator("section", new() { HasText = "Heartbeat" });
        await Expect(card).ToBeVisibleAsync();
        await page.WaitForFunctionAsync("() => !document.querySelector('main').textContent.includes('Heartbeat–')");
        await card.EvaluateAsync("e => { e.old = true; }");
        await BeatsAsync(page, 3);
        Assert.True(await card.EvaluateAsync<bool>("e => e.old === true"));
        await page.GetByTitle("Resume live updates").ClickAsync();
        await page.WaitForFunctionAsync("() => ![...document.querySelectorAll('section')].some(e => e.old)");
        desk.NobodyComplained();
    }

    [Fact]
    public async Task A_lane_that_is_entering_is_shown_as_waiting()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium);
        var page = desk.Page;
        await page.RouteAsync("**/status", static async route =>
        {
            var reply = await route.FetchAsync();
            var status = JsonNode.Parse(await reply.TextAsync())!;
            status["lanes"] = new JsonArray(new JsonObject
            {
                ["model"] = "llama3.2",
                ["endpoint"] = "near",
                ["state"] = "entering",
                ["depth"] = 1,
                ["inFlight"] = 0,
                ["served"] = 0,
                ["failed"] = 0,
                ["swaps"] = 0,
            });
            await route.FulfillAsync(new() { Response = reply, Body = status.ToJsonString() });
        });
        await desk.GoAsync("machines");
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "Lane llama3.2" }).Locator(".state")).ToHaveClassAsync("state pill s-waiting");
    }

    [Fact]
    public async Task Keys_of_one_letter_can_be_switched_off_for_good_and_on_again()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium);
        var page = desk.Page;
        var dialog = page.GetByRole(AriaRole.Dialog);
        await page.Locator("body").PressAsync("?");
        await Expect(dialog).ToContainTextAsync("follow what runs");
        await Desk.PictureAsync(page, "help");
        await dialog.GetByLabel("Keys of a single letter or sign").UncheckAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Close" }).ClickAsync();
        await page.ReloadAsync();
        await Expect(page.GetByText("No executions yet")).ToBeVisibleAsync();
        foreach (var key in (string[])["?", "p", "g", "m"]) await page.Locator("body").PressAsync(key);
        await Expect(dialog).ToHaveCountAsync(0);
        await Expect(page.GetByTitle("Pause live updates")).ToBeVisibleAsync();
        Assert.DoesNotContain("machines", page.Url, StringComparison.Ordinal);

        await page.GetByRole(AriaRole.Button, new() { Name = "Keys" }).ClickAsync();
        await dialog.GetByLabel("Keys of a single letter or sign").CheckAsync();
        await page.Keyboard.PressAsync("Escape");
        await Expect(dialog).ToHaveCountAsync(0);
        await page.Locator("body").PressAsync("g");
        await page.Keyboard.PressAsync("m");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Machines" })).ToBeVisibleAsync();
        desk.NobodyComplained();
    }

    private static async Task BeatsAsync(IPage page, int times)
    {
        for (var i = 0; i < times; i++) await page.WaitForResponseAsync(static response => response.Url.EndsWith("/status", StringComparison.Ordinal));
    }
}

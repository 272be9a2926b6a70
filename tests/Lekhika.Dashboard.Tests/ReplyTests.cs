using System.Globalization;
using System.Text.RegularExpressions;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Dashboard.Tests.Support;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Lekhika.Dashboard.Tests;

/// <summary>Replies that come late, from somebody else, or not at all.</summary>
public sealed class ReplyTests(Servers servers, Chromium chromium)
{
    private static readonly Regex Pages = new(@"/executions\?", RegexOptions.None, TimeSpan.FromSeconds(1));

    [Theory]
    [InlineData("workflows/{0}", false)]
    [InlineData("workflows/new?from={0}", false)]
    [InlineData("executions/{0}", true)]
    public async Task A_late_reply_does_not_replace_the_screen_one_moved_to(string place, bool fails)
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium);
        var page = desk.Page;
        var id = await desk.StoreAsync("Comes late", Flows.Trivial);
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var moved = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await page.RouteAsync(new Regex($"/(workflows|executions)/{id}$", RegexOptions.None, TimeSpan.FromSeconds(1)), async route =>
        {
            asked.TrySetResult();
            await moved.Task;
            if (fails) await route.FulfillAsync(new() { Status = 409, ContentType = "application/json", Body = """{"success":false,"error":"Comes late","code":"late"}""" });
            else await route.ContinueAsync();
        });
        await desk.GoAsync(string.Format(CultureInfo.InvariantCulture, place, id));
        await asked.Task.WaitAsync(TestContext.Current.CancellationToken);
        await desk.GoAsync("machines");
        await Expect(page.GetByText("Heartbeat")).ToBeVisibleAsync();
        await page.RunAndWaitForResponseAsync(() => { moved.SetResult(); return Task.CompletedTask; }, response => response.Url.EndsWith($"/{id}", StringComparison.Ordinal));
        // What the reply sets off has happened once another has gone there and back, and a frame has been drawn.
        await page.EvaluateAsync("() => fetch('status').then(r => r.text()).then(() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r))))");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Machines" })).ToBeVisibleAsync();
        await Expect(page.GetByText("Comes late")).ToHaveCountAsync(0);
        Assert.Equal("Machines · Lekhika", await page.TitleAsync());
    }

    [Fact]
    public async Task A_proxys_own_page_is_told_as_trouble_and_the_polling_goes_on()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium);
        var page = desk.Page;
        const string Status = "**/status";
        await Expect(page.Locator(".health")).ToContainTextAsync("slots");
        // It answers everything: where some requests still got through, the notice would come and go.
        var all = new Regex("/(?:status|executions)(?:[/?].*)?$", RegexOptions.None, TimeSpan.FromSeconds(1));
        await page.RouteAsync(all, static route => route.FulfillAsync(new() { Status = 200, ContentType = "text/html", Body = "<html>Sign in</html>" }));
        await Expect(page.Locator("#notice")).ToContainTextAsync("Something in front of the daemon");
        await page.UnrouteAsync(all);
        await Expect(page.Locator("#notice")).ToBeEmptyAsync();

        // Cut off in the middle: it is asked for again all the same.
        await page.RouteAsync(Status, static route => route.FulfillAsync(new() { Status = 200, ContentType = "application/json", Body = "{\"status\":" }));
        await page.WaitForResponseAsync(static response => response.Url.EndsWith("/status", StringComparison.Ordinal));
        await page.WaitForResponseAsync(static response => response.Url.EndsWith("/status", StringComparison.Ordinal));
        desk.NobodyComplained();
    }

    [Fact]
    public async Task Somebody_who_asks_again_is_answered_while_updates_are_paused_and_on_an_older_page()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium);
        var page = desk.Page;
        await desk.Scene.Database.ExecuteAsync(
            "INSERT INTO lekhika.workflow_executions (definition, run_at) SELECT $1::jsonb, now() + interval '1 day' FROM generate_series(1, 51)",
            TestContext.Current.CancellationToken, Flows.Trivial);
        var rows = page.Locator("tbody tr");
        await Expect(rows).ToHaveCountAsync(50);
        await page.GetByTitle("Pause live updates").ClickAsync();
        await page.RouteAsync(Pages, static route => route.FulfillAsync(new() { Status = 503, ContentType = "application/json", Body = """{"success":false,"error":"No luck","code":"none"}""" }));
        await page.Locator("body").PressAsync("r");
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("No luck");
        await page.UnrouteAsync(Pages);
        await page.GetByRole(AriaRole.Button, new() { Name = "Try again" }).ClickAsync();
        await Expect(rows).ToHaveCountAsync(50);

        await page.GetByTitle("Resume live updates").ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Older" }).ClickAsync();
        await Expect(rows).ToHaveCountAsync(1);
        await rows.First.GetByRole(AriaRole.Checkbox).CheckAsync();
        await page.GetByRole(AriaRole.Region, new() { Name = "Selection" }).GetByRole(AriaRole.Button, new() { Name = "Cancel 1" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Cancel them" }).ClickAsync();
        await Expect(rows.First).ToContainTextAsync("cancelled");
    }
}

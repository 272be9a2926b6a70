using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Dashboard.Tests.Support;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Lekhika.Dashboard.Tests;

public sealed class SignInTests(Servers servers, Chromium chromium)
{
    [Fact]
    public async Task One_signs_in_with_the_secret_and_out_again()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium, secret: null);
        var page = desk.Page;
        await page.GetByLabel("Secret").FillAsync("a wrong one");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("not the one configured");
        await Desk.PictureAsync(page, "sign-in");
        await Desk.SignInAsync(page, DaemonSetup.Secret);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Executions" })).ToBeVisibleAsync();
        var cookie = Assert.Single(await page.Context.CookiesAsync());
        Assert.True(cookie.HttpOnly);
        Assert.Equal(SameSiteAttribute.Strict, cookie.SameSite);
        Assert.Equal("", await page.EvaluateAsync<string>("document.cookie"));

        await page.ReloadAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Executions" })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page.GetByLabel("Secret")).ToBeVisibleAsync();
        await page.ReloadAsync();
        await Expect(page.GetByLabel("Secret")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_session_that_ended_leads_back_to_the_sign_in()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium);
        await desk.Page.Context.ClearCookiesAsync();
        await Expect(desk.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("session has ended");
        await Expect(desk.Page.GetByLabel("Secret")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_viewer_sees_everything_and_no_way_to_act()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium, Desk.ViewerSecret);
        var id = await desk.SubmitWorkflowAsync("""{"nodes":[{"id":"w","type":"delay","config":{"for":"1h"}}],"edges":[]}""");
        await Expect(desk.Page.GetByText("read only")).ToBeVisibleAsync();
        await Expect(desk.Page.GetByRole(AriaRole.Row).Nth(1)).ToContainTextAsync("waiting");
        await Expect(desk.Page.GetByRole(AriaRole.Checkbox)).ToHaveCountAsync(0);
        await desk.GoAsync($"executions/{id}");
        await Expect(desk.Page.Locator(".state.pill.s-waiting").First).ToBeVisibleAsync();
        await Expect(desk.Page.GetByRole(AriaRole.Button, new() { Name = "Stop" })).ToHaveCountAsync(0);
        await Expect(desk.Page.GetByRole(AriaRole.Button, new() { Name = "Pause", Exact = true })).ToHaveCountAsync(0);
        desk.NobodyComplained();
    }

    [Fact]
    public async Task Without_a_secret_on_loopback_it_is_open_at_once_and_acts()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium, secret: null, change: static setup =>
        {
            setup.Settings["auth.internal_secret"] = "";
            setup.Settings["auth.viewer_secret"] = "";
            setup.Settings["auth.allow_insecure_loopback"] = "true";
        });
        await Expect(desk.Page.GetByRole(AriaRole.Heading, new() { Name = "Executions" })).ToBeVisibleAsync();
        await Expect(desk.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" })).ToHaveCountAsync(0);
        var id = await desk.SubmitWorkflowAsync("""{"nodes":[{"id":"w","type":"delay","config":{"for":"1h"}}],"edges":[]}""");
        await desk.GoAsync($"executions/{id}");
        await desk.Page.GetByRole(AriaRole.Button, new() { Name = "Stop" }).ClickAsync();
        await desk.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Stop" }).ClickAsync();
        await Expect(desk.Page.Locator("h1 + .state")).ToHaveTextAsync("cancelled");
        desk.NobodyComplained();
    }
}

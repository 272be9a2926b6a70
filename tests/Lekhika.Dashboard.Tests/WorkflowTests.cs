using System.Text.RegularExpressions;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Dashboard.Tests.Support;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Lekhika.Dashboard.Tests;

public sealed class WorkflowTests(Servers servers, Chromium chromium)
{
    private const string Asks = """
        {"nodes":[{"id":"start","type":"trigger","config":{"fields":[{"name":"topic","type":"string","required":true},{"name":"count","type":"number"},
                   {"name":"loud","type":"boolean"},{"name":"tone","type":"string","options":["dry","warm"],"default":"warm"}]}},
                  {"id":"keep","type":"set","name":"Keep","config":{"values":{"topic":"{{ inputs.topic }}","count":"{{ inputs.count }}"}}}],
         "edges":[{"from":"start","to":"keep"}]}
        """;

    [Fact]
    public async Task A_stored_one_is_run_with_a_form_made_of_its_fields()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium);
        var page = desk.Page;
        var stored = await desk.StoreAsync("Asks for things", Asks);
        await desk.GoAsync("workflows");
        await page.GetByRole(AriaRole.Link, new() { Name = "Asks for things" }).ClickAsync();
        await Expect(page.Locator(".node")).ToHaveCountAsync(2);
        await Desk.PictureAsync(page, "workflow");
        var form = page.GetByRole(AriaRole.Region, new() { Name = "Run" });
        await Expect(form.GetByLabel("tone")).ToHaveValueAsync("1");
        await form.GetByLabel("topic *").FillAsync("tea");
        await form.GetByLabel("count").FillAsync("nine");
        await form.GetByRole(AriaRole.Button, new() { Name = "Run" }).ClickAsync();
        await Expect(form.GetByRole(AriaRole.Alert)).ToContainTextAsync("count");
        await form.GetByLabel("count").FillAsync("9007199254740993");
        await form.GetByRole(AriaRole.Button, new() { Name = "Run" }).ClickAsync();
        // Not WaitForURL: it waits for a load, and a change of the fragment may be over before it begins to wait.
        await Expect(page).ToHaveURLAsync(new Regex("#/executions/[0-9a-f-]{36}$", RegexOptions.None, TimeSpan.FromSeconds(1)));
        var ended = await desk.Scene.EndAsync(Guid.Parse(page.Url.Split("executions/")[1][..36]));
        Assert.Contains("9007199254740993", ended.Result, StringComparison.Ordinal);
        await page.GotoAsync($"{desk.Url}#/executions?q=workflow:{stored}");
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(1);
        desk.NobodyComplained();
    }

    [Fact]
    public async Task Pasted_text_is_checked_with_every_mistake_at_its_line_and_stored_once_it_is_right()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium);
        var page = desk.Page;
        await desk.GoAsync("workflows/new");
        var text = page.GetByLabel("Definition", new() { Exact = true });
        await text.FillAsync("{\n  \"nodes\": [\n    {\"id\": \"a\", \"type\": \"sett\",}\n  ]\n}");
        await Expect(page.Locator(".problems")).ToContainTextAsync("line 3");
        await text.FillAsync("{\n  \"nodes\": [\n    {\"id\": \"a\", \"type\": \"set\", \"config\": {\"values\": {\"x\": 1}}},\n    {\"id\": \"b\", \"type\": \"condtion\"}\n  ],\n  \"edges\": [{\"from\": \"a\", \"to\": \"c\"}]\n}");
        var problems = page.Locator(".problems li");
        await Expect(problems.Filter(new() { HasText = "unknown node type 'condtion'" })).ToContainTextAsync("(line 4)");
        await Expect(problems.Filter(new() { HasText = "edges[0].to" })).ToContainTextAsync("(line 6)");
        await Expect(page.Locator(".editor mark")).ToHaveTextAsync(["4", "6"]);
        await Desk.PictureAsync(page, "workflow-problems");
        await problems.Filter(new() { HasText = "condtion" }).GetByRole(AriaRole.Button).ClickAsync();
        Assert.Equal("\"condtion\"", await page.EvaluateAsync<string>("() => { const t = document.querySelector('.editor textarea'); return t.value.slice(t.selectionStart, t.selectionEnd); }"));

        await page.GetByRole(AriaRole.Button, new() { Name = "Example" }).ClickAsync();
        await Expect(page.Locator(".state.s-completed", new() { HasText = "Valid" })).ToBeVisibleAsync();
        await Expect(page.Locator(".node")).ToHaveCountAsync(2);
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("My first");
        await page.GetByRole(AriaRole.Button, new() { Name = "Store" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "My first" })).ToBeVisibleAsync();
        Assert.Equal(1, await desk.Scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflows WHERE name = 'My first'", TestContext.Current.CancellationToken));
        desk.NobodyComplained();
    }

    [Fact]
    public async Task A_model_writes_one_before_ones_eyes()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium);
        Assert.SkipUnless(await desk.HasAsync("jobs") || (await desk.Daemon.PostAsync("jobs", "{}", TestContext.Current.CancellationToken)).Status != 404, "this daemon has no /jobs yet");
        var page = desk.Page;
        await desk.GoAsync("workflows/new");
        await page.GetByLabel("What the workflow is to do").FillAsync("Say hello");
        await page.GetByRole(AriaRole.Button, new() { Name = "Generate" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "Generate" }).GetByRole(AriaRole.Progressbar)).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_schedule_is_made_and_removed()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium);
        Assert.SkipUnless(await desk.HasAsync("schedules"), "this daemon has no /schedules yet");
        var page = desk.Page;
        var stored = await desk.StoreAsync("Each morning", Flows.Trivial);
        await desk.GoAsync($"workflows/{stored}");
        var schedules = page.GetByRole(AriaRole.Region, new() { Name = "Schedules" });
        await schedules.GetByRole(AriaRole.Button, new() { Name = "Add" }).ClickAsync();
        await page.GetByLabel("When (cron)").FillAsync("0 9 * * MON-FRI");
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Add" }).ClickAsync();
        await Expect(schedules).ToContainTextAsync("0 9 * * MON-FRI");
        await schedules.GetByRole(AriaRole.Button, new() { Name = "Remove" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Remove" }).ClickAsync();
        await Expect(schedules).Not.ToContainTextAsync("MON-FRI");
    }
}

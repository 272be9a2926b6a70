using System.Text.Json;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Dashboard.Tests.Support;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Lekhika.Dashboard.Tests;

/// <summary>Every screen at two widths and in two themes, with nothing, something and ugly things on it: nothing sticks out, and axe finds nothing serious.</summary>
public sealed class LookTests(Servers servers, Chromium chromium)
{
    private const string Long = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft_without_any_place_to_break_it";

    [Theory]
    [InlineData(1280, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    [InlineData(1280, ColorScheme.Dark)]
    [InlineData(390, ColorScheme.Light)]
    public async Task Nothing_sticks_out_and_nothing_is_hard_to_read(int width, ColorScheme theme)
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium, secret: null);
        var page = await desk.WindowAsync(width, width < 500 ? 844 : 860, theme, bypassPolicy: true);
        await page.GotoAsync(desk.Url);
        var look = $"{width}-{theme}".ToLowerInvariant();
        var axe = await Axe.FindAsync(TestContext.Current.CancellationToken);
        await LookAsync("sign-in");
        await Desk.SignInAsync(page, DaemonSetup.Secret);
        await Expect(page.GetByText("No executions yet")).ToBeVisibleAsync();
        await LookAsync("executions-none");
        await page.GotoAsync($"{desk.Url}#/workflows");
        await Expect(page.GetByText("No workflows yet")).ToBeVisibleAsync();
        await LookAsync("workflows-none");

        var failed = await desk.SubmitWorkflowAsync(Ugly(), $$""","userId":"{{Long}}" """);
        await desk.Scene.EndAsync(failed);
        var waiting = await desk.SubmitWorkflowAsync("""{"name":"Waits","nodes":[{"id":"a","type":"set","config":{"values":{"x":1}}},{"id":"w","type":"delay","name":"A long wait","config":{"for":"2h"}}],"edges":[{"from":"a","to":"w"}]}""");
        var article = await File.ReadAllTextAsync(Path.Combine(DaemonBinary.RepositoryRoot(), "scripts/samples/article.json"), TestContext.Current.CancellationToken);
        var stored = await desk.StoreAsync("A short article", article);
        var done = await desk.SubmitAsync($$$"""{"workflowId":"{{{stored}}}","inputs":{"topic":"Tea"},"userId":"anna"}""");
        await desk.Scene.EndAsync(done);
        await desk.Scene.UntilAsync(waiting, "waiting");
        foreach (var (name, place, text) in new[]
        {
            ("executions", "executions", "Waits"), ("failed", $"executions/{failed}", "Fails on purpose"), ("ugly-node", $"executions/{failed}?node=a", "Output"),
            ("waiting", $"executions/{waiting}", "waits until"), ("completed", $"executions/{done}", "Result"), ("workflows", "workflows", "A short article"),
            ("workflow", $"workflows/{stored}", "Run it"), ("editor", $"workflows/new?from={stored}", "Valid"), ("machines", "machines", "Heartbeat"), ("nothing-found", "executions?q=zzzz", "Nothing fits"),
        })
        {
            await page.GotoAsync($"{desk.Url}#/{place}");
            await Expect(page.Locator("main").GetByText(text).Filter(new() { Visible = true }).First).ToBeVisibleAsync();
            await LookAsync(name);
        }

        await page.GotoAsync($"{desk.Url}#/executions/{done}");
        await page.GetByRole(AriaRole.Tab, new() { Name = "Timeline" }).ClickAsync();
        await Expect(page.Locator(".gantt-row").First).ToBeVisibleAsync();
        await LookAsync("timeline");

        await desk.Daemon.StopAsync(TestContext.Current.CancellationToken);
        await Expect(page.Locator("#notice")).ToContainTextAsync("does not answer");
        await LookAsync("disconnected");
        return;

        async Task LookAsync(string name)
        {
            await Desk.PictureAsync(page, $"{name}-{look}", whole: width < 500);
            var over = await page.EvaluateAsync<int>("document.documentElement.scrollWidth - innerWidth");
            Assert.True(over <= 0, $"{name} at {look}: {over} pixels stick out");
            var cut = await page.EvaluateAsync<string[]>("""
                () => [...document.querySelectorAll('button, .button, h1, h2, .state, dt, th')].filter(e => e.checkVisibility() && e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 2 && getComputedStyle(e).overflow === 'visible'
                  && getComputedStyle(e).display !== 'inline').map(e => `${e.tagName} ${e.className}: ${e.textContent.slice(0, 60)}`)
                """);
            Assert.True(cut.Length == 0, $"{name} at {look}: text sticks out of {string.Join("; ", cut)}");
            if (axe is null) return;
            var found = JsonSerializer.Serialize(await Axe.SeriousAsync(page, axe));
            Assert.True(found == "[]", $"{name} at {look}: {found}");
        }
    }

    private static string Ugly() => JsonSerializer.Serialize(new Dictionary<string, object>(StringComparer.Ordinal)
    {
        ["name"] = "اسم طويل جدًا لسير العمل هذا الذي لا ينتهي أبدًا " + Long,
        ["nodes"] = new object[]
        {
            new { id = "a", type = "set", name = Long, config = new { values = new { text = string.Join(' ', Enumerable.Repeat(Long, 400)), rtl = "شكرا جزيلا", deep = new { list = Enumerable.Range(0, 500).ToArray() } } } },
            new { id = "b", type = "stop_and_error", name = "Fails on purpose", config = new { message = $"<b>no</b> {Long} {Long} שגיאה" } },
        },
        ["edges"] = new object[] { new { from = "a", to = "b" } },
    });
}

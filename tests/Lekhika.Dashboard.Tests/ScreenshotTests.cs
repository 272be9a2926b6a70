using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Dashboard.Tests.Support;
using Lekhika.Doubles;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Lekhika.Dashboard.Tests;

/// <summary>The pictures of the documentation: scripts/screenshots.</summary>
public sealed class ScreenshotTests(Servers servers, Chromium chromium)
{
    private const int Largest = 150 * 1024;

    [Fact]
    public async Task One_picture_of_each_main_screen()
    {
        var folder = Environment.GetEnvironmentVariable("LEKHIKA_TEST_SCREENSHOTS");
        Assert.SkipWhen(string.IsNullOrEmpty(folder), "scripts/screenshots makes the pictures");
        await using var desk = await Desk.SitDownAsync(servers, chromium, ollama: new OllamaDoubleOptions
        {
            TokensPerSecond = 30,
            LoadTime = TimeSpan.FromMilliseconds(900),
            SwapTime = TimeSpan.FromMilliseconds(300),
            Parallel = 4,
            ReplyTokens = 90,
        });
        var page = desk.Page;
        var article = await File.ReadAllTextAsync(Path.Combine(DaemonBinary.RepositoryRoot(), "scripts/samples/article.json"), TestContext.Current.CancellationToken);
        var stored = await desk.StoreAsync("A short article", article);
        var haiku = await File.ReadAllTextAsync(Path.Combine(DaemonBinary.RepositoryRoot(), "scripts/samples/haiku.json"), TestContext.Current.CancellationToken);
        await desk.Scene.EndAsync(await desk.SubmitAsync($$$"""{"workflow":{{{haiku}}},"inputs":{"topic":"rain"},"userId":"ben"}"""), 60);
        await desk.Scene.EndAsync(await desk.SubmitAsync(Run("Tea", "anna")), 90);
        await desk.Scene.EndAsync(await desk.SubmitAsync(
            """{"userId":"ben","workflow":{"name":"Nightly report","nodes":[{"id":"check","type":"stop_and_error","config":{"message":"The source has no rows for today."}}],"edges":[]}}"""));
        await desk.SubmitAsync("""{"userId":"carla","workflow":{"name":"Reminder","nodes":[{"id":"w","type":"delay","name":"Until tomorrow","config":{"for":"20h"}}],"edges":[]}}""");
        await desk.SubmitAsync(Run("Rivers", "carla"));
        var running = await desk.SubmitAsync(Run("Monsoon", "anna"));
        await desk.GoAsync($"executions/{running}");
        await Expect(page.Locator(".node.s-running.chosen")).ToHaveAttributeAsync("aria-label", "Draft, llm, running");
        await page.WaitForFunctionAsync("() => (document.querySelector('.prose.live')?.textContent.length ?? 0) > 180");
        await KeepAsync("execution");
        await desk.GoAsync("executions");
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(6);
        await KeepAsync("executions");
        await desk.GoAsync("machines");
        await Expect(page.GetByText("Heartbeat")).ToBeVisibleAsync();
        await page.WaitForTimeoutAsync(9000);
        await KeepAsync("machines");
        await desk.GoAsync($"workflows/{stored}");
        await Expect(page.Locator(".node")).ToHaveCountAsync(7);
        await KeepAsync("workflow");
        return;

        string Run(string topic, string user) => $$$"""{"workflowId":"{{{stored}}}","inputs":{"topic":"{{{topic}}}"},"userId":"{{{user}}}"}""";

        async Task KeepAsync(string name)
        {
            var path = Path.Combine(folder, $"{name}.png");
            await page.Mouse.MoveAsync(5, 850);
            await page.ScreenshotAsync(new PageScreenshotOptions { Path = path });
            Assert.InRange(new FileInfo(path).Length, 1, Largest);
        }
    }
}

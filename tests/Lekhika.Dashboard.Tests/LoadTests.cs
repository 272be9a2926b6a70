using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Dashboard.Tests.Support;
using Lekhika.Doubles;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Lekhika.Dashboard.Tests;

/// <summary>Much at once: large graphs, floods of events, and viewers who do not keep up.</summary>
public sealed class LoadTests(Servers servers, Chromium chromium)
{
    /// <summary>Counts the frames that took longer than 100 ms, and the longest.</summary>
    private const string WatchFrames = "() => { window.slow = []; let last = performance.now(); const f = now => { if (now - last > 100) window.slow.push(now - last); last = now; requestAnimationFrame(f); }; requestAnimationFrame(f); }";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Three_hundred_nodes_are_drawn_and_move_smoothly_and_more_are_listed()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium);
        var page = desk.Page;
        var id = await desk.SubmitWorkflowAsync(Wide(300));
        await desk.Scene.EndAsync(id);
        var begun = TimeProvider.System.GetTimestamp();
        await desk.GoAsync($"executions/{id}");
        await Expect(page.Locator(".node.s-completed")).ToHaveCountAsync(300);
        var took = TimeProvider.System.GetElapsedTime(begun);
        Assert.True(took < TimeSpan.FromSeconds(15), $"it was drawn after {took}");
        Assert.Equal(300, await page.EvaluateAsync<int>("""
            () => { const boxes = [...document.querySelectorAll('.node rect.box')].map(r => [+r.getAttribute('x'), +r.getAttribute('y'), +r.getAttribute('width'), +r.getAttribute('height')]);
              return boxes.filter((a, i) => !boxes.some((b, j) => i !== j && a[0] < b[0] + b[2] && b[0] < a[0] + a[2] && a[1] < b[1] + b[3] && b[1] < a[1] + a[3])).length; }
            """));
        await page.EvaluateAsync(WatchFrames);
        var box = (await page.Locator(".graph").BoundingBoxAsync())!;
        await page.Mouse.MoveAsync(box.X + 400, box.Y + 200);
        await page.Mouse.DownAsync();
        for (var i = 0; i < 40; i++) await page.Mouse.MoveAsync(box.X + 400 - (i * 6), box.Y + 200 - i);
        await page.Mouse.UpAsync();
        Assert.True(await page.EvaluateAsync<int>("window.slow.filter(ms => ms > 500).length") <= 2, "dragging stalled");
        await Desk.PictureAsync(page, "graph-300");

        var larger = await desk.SubmitWorkflowAsync(Wide(301));
        await desk.Scene.EndAsync(larger);
        await desk.GoAsync($"executions/{larger}");
        await Expect(page.Locator(".nodes.limit li")).ToHaveCountAsync(301);
        await Expect(page.Locator(".node")).ToHaveCountAsync(0);
        desk.NobodyComplained();
    }

    [Fact]
    public async Task A_flood_of_events_does_not_freeze_the_page_and_loses_nothing()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium, ollama: Scene.Fast with { TokensPerSecond = 1000 });
        var page = desk.Page;
        var id = await desk.SubmitWorkflowAsync(Flows.OneModel(Flows.Slowly(6000, 1000)));
        await desk.GoAsync($"executions/{id}");
        await Expect(page.Locator(".prose.live")).ToBeVisibleAsync();
        await page.EvaluateAsync(WatchFrames);
        await page.GetByRole(AriaRole.Tab, new() { Name = "Timeline" }).ClickAsync();
        await Expect(page.Locator(".gantt-row").First).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Tab, new() { Name = "Graph" }).ClickAsync();
        await desk.Scene.EndAsync(id, 90);
        await Expect(page.Locator("h1 + .state")).ToHaveTextAsync("completed");
        Assert.True(await page.EvaluateAsync<double>("Math.max(0, ...window.slow)") < 2500, "a frame took " + await page.EvaluateAsync<double>("Math.max(0, ...window.slow)") + " ms");
        desk.NobodyComplained();
    }

    [Fact]
    public async Task Viewers_who_never_read_slow_no_execution_down()
    {
        await using var desk = await Desk.SitDownAsync(servers, chromium, ollama: Scene.Fast);
        var alone = await TimeAsync(desk, 0);
        var watched = await TimeAsync(desk, 30);
        Assert.True(watched < (alone * 2) + TimeSpan.FromSeconds(3), $"alone {alone}, with thirty who do not read {watched}");
    }

    private static async Task<TimeSpan> TimeAsync(Desk desk, int viewers)
    {
        var id = await desk.SubmitWorkflowAsync(Flows.OneModel(Flows.Slowly(4000, 2000)));
        var sockets = new List<Socket>();
        try
        {
            for (var i = 0; i < viewers; i++)
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 1024 };
                sockets.Add(socket);
                await socket.ConnectAsync("127.0.0.1", desk.Daemon.Port, Cancellation);
                await socket.SendAsync(Encoding.ASCII.GetBytes(string.Create(
                    CultureInfo.InvariantCulture, $"GET /status/{id}/events HTTP/1.1\r\nHost: 127.0.0.1:{desk.Daemon.Port}\r\nX-Internal-Auth: {DaemonSetup.Secret}\r\n\r\n")), Cancellation);
            }

            var begun = TimeProvider.System.GetTimestamp();
            Assert.Equal("completed", (await desk.Scene.EndAsync(id, 90)).Status);
            return TimeProvider.System.GetElapsedTime(begun);
        }
        finally
        {
            foreach (var socket in sockets) socket.Dispose();
        }
    }

    /// <summary>So many nodes in layers of ten.</summary>
    private static string Wide(int nodes)
    {
        var text = new StringBuilder("{\"name\":\"Many\",\"nodes\":[");
        for (var i = 0; i < nodes; i++) text.Append(CultureInfo.InvariantCulture, $$"""{{(i > 0 ? "," : "")}}{"id":"n{{i}}","type":"set","name":"Step {{i}}","config":{"values":{"x":1} } }""");
        text.Append("],\"edges\":[");
        for (var i = 10; i < nodes; i++) text.Append(CultureInfo.InvariantCulture, $$"""{{(i > 10 ? "," : "")}}{"from":"n{{i - 10}}","to":"n{{i}}"},{"from":"n{{(i / 10 * 10) - 10 + (i * 7 % 10)}}","to":"n{{i}}","when":null}""");
        return text.Append("]}").ToString();
    }
}

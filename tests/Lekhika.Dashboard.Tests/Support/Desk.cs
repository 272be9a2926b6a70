using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Doubles;
using Microsoft.Playwright;
using Xunit;

namespace Lekhika.Dashboard.Tests.Support;

/// <summary>
/// Somebody at the dashboard: a daemon with a database and a double of its own, and a browser window on it. What the page complains about on its console
/// is collected, and none of it is expected unless a test says so.
/// </summary>
internal sealed class Desk : IAsyncDisposable
{
    public const string ViewerSecret = "the-viewers-secret-of-the-tests-01";
    private readonly ConcurrentQueue<string> _complaints = new();
    private readonly Chromium _chromium;
    private readonly List<IBrowserContext> _contexts = [];

    private Desk(Scene scene, DaemonProcess daemon, Chromium chromium) => (Scene, Daemon, _chromium) = (scene, daemon, chromium);

    public Scene Scene { get; }

    /// <summary>A model at the pace of a reader.</summary>
    public static OllamaDoubleOptions Steady => Scene.Fast with { TokensPerSecond = 40, ReplyTokens = 60 };

    public DaemonProcess Daemon { get; }

    public IPage Page { get; private set; } = null!;

    public string Url => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Daemon.Port}/");

    /// <summary>What the page complained about.</summary>
    public IReadOnlyCollection<string> Complaints => _complaints;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <param name="servers">Of the assembly.</param>
    /// <param name="chromium">Of the assembly.</param>
    /// <param name="secret">What to sign in with; null stays at the sign-in.</param>
    /// <param name="ollama">How the double behaves.</param>
    /// <param name="change">Settings of the daemon.</param>
    public static async Task<Desk> SitDownAsync(
        Servers servers, Chromium chromium, string? secret = DaemonSetup.Secret, OllamaDoubleOptions? ollama = null, Action<DaemonSetup>? change = null)
    {
        // Asked first: without a browser nothing needs to be started.
        await using (await chromium.ContextAsync(100, 100, ColorScheme.Light))
        {
        }

        var scene = await Scene.BeginAsync(servers, ollama);
        try
        {
            var daemon = await scene.DaemonAsync(setup =>
            {
                setup.Settings["auth.viewer_secret"] = ViewerSecret;
                setup.Settings["models.default"] = "llama3.2";
                change?.Invoke(setup);
            });
            var desk = new Desk(scene, daemon, chromium);
            desk.Page = await desk.WindowAsync();
            await desk.Page.GotoAsync(desk.Url);
            if (secret is not null) await SignInAsync(desk.Page, secret);
            return desk;
        }
        catch
        {
            await scene.DisposeAsync();
            throw;
        }
    }

    /// <summary>Another window, as of another person.</summary>
    public async Task<IPage> WindowAsync(int width = 1280, int height = 860, ColorScheme theme = ColorScheme.Light, bool bypassPolicy = false)
    {
        var context = await _chromium.ContextAsync(width, height, theme, bypassPolicy);
        _contexts.Add(context);
        var page = await context.NewPageAsync();
        page.SetDefaultTimeout(30_000);
        page.PageError += (_, error) => _complaints.Enqueue($"error: {error}");
        page.Console += (_, message) =>
        {
            // A route that this daemon has not got is asked for once, and the browser says so.
            if (message.Type is "error" or "warning" && !message.Location.Contains("/schedules", StringComparison.Ordinal)) _complaints.Enqueue($"{message.Type}: {message.Text} {message.Location}");
        };
        page.Dialog += (_, dialog) => _complaints.Enqueue($"dialog: {dialog.Message}");
        return page;
    }

    public static async Task SignInAsync(IPage page, string secret)
    {
        await page.GetByLabel("Secret").FillAsync(secret);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await page.GetByRole(AriaRole.Navigation, new() { Name = "Main" }).WaitForAsync();
    }

    /// <summary>Goes to a place of the page: <c>executions/…</c>.</summary>
    public Task GoAsync(string place) => Page.GotoAsync($"{Url}#/{place}");

    /// <summary>Submits an execution and gives its id.</summary>
    public async Task<Guid> SubmitAsync(string body)
    {
        var (status, reply) = await Daemon.PostAsync("execute", body, Cancellation);
        Assert.True(status == 202, reply.GetRawText());
        return reply.GetProperty("executionId").GetGuid();
    }

    public Task<Guid> SubmitWorkflowAsync(string definition, string more = "") => SubmitAsync($$"""{"workflow":{{definition}}{{more}}}""");

    /// <summary>Whether the daemon has a route: this page is built to do without some.</summary>
    public async Task<bool> HasAsync(string path) => (await Daemon.GetAsync(path, Cancellation)).Status is not 404;

    /// <summary>Stores a workflow by HTTP.</summary>
    public async Task<Guid> StoreAsync(string name, string definition)
    {
        var (status, reply) = await Daemon.PostAsync("workflows", $$"""{"name":{{JsonSerializer.Serialize(name)}},"definition":{{definition}}}""", Cancellation);
        Assert.True(status is 200 or 201, reply.GetRawText());
        return reply.GetProperty("id").GetGuid();
    }

    /// <summary>Keeps a picture among the artefacts of the tests.</summary>
    public static async Task PictureAsync(IPage page, string name, bool whole = false)
    {
        var folder = Path.Combine(DaemonBinary.RepositoryRoot(), "artifacts", "screenshots");
        Directory.CreateDirectory(folder);
        await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, $"{name}.png"), FullPage = whole });
    }

    public void NobodyComplained() => Assert.Empty(_complaints);

    public async ValueTask DisposeAsync()
    {
        if (TestContext.Current.TestState?.Result == TestResult.Failed)
        {
            TestContext.Current.TestOutputHelper?.WriteLine(string.Join('\n', _complaints));
            await PictureAsync(Page, $"failed-{TestContext.Current.TestMethod?.MethodName}");
        }

        foreach (var context in _contexts) await context.DisposeAsync();
        await Scene.DisposeAsync();
    }
}

using Microsoft.Playwright;
using Xunit;

namespace Lekhika.Dashboard.Tests.Support;

/// <summary>The distribution's Chromium, one process for all tests. Where it is missing the tests are skipped and say so.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private static readonly string[] Places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    private readonly SemaphoreSlim _making = new(1);
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public ValueTask InitializeAsync()
    {
        Assertions.SetDefaultExpectTimeout(30_000);
        return ValueTask.CompletedTask;
    }

    /// <summary>A browser window of its own: cookies and storage are not shared.</summary>
    public async Task<IBrowserContext> ContextAsync(int width, int height, ColorScheme theme, bool bypassPolicy = false)
    {
        var path = Environment.GetEnvironmentVariable("LEKHIKA_TEST_CHROMIUM") is { Length: > 0 } named ? named : Places.FirstOrDefault(File.Exists);
        Assert.SkipWhen(path is null, "no Chromium is installed (apt-get install chromium, or LEKHIKA_TEST_CHROMIUM)");
        await _making.WaitAsync();
        try
        {
            _playwright ??= await Playwright.CreateAsync();
            _browser ??= await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = path, Args = ["--no-sandbox", "--disable-dev-shm-usage"] });
        }
        finally
        {
            _making.Release();
        }

        return await _browser.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = height },
            ColorScheme = theme,
            AcceptDownloads = true,
            BypassCSP = bypassPolicy,
            Locale = "en-GB",
            Permissions = ["clipboard-read", "clipboard-write"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
        _making.Dispose();
    }
}

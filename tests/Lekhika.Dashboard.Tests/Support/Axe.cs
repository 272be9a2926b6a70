using System.Diagnostics;
using Microsoft.Playwright;
using Xunit;

namespace Lekhika.Dashboard.Tests.Support;

/// <summary>axe-core, which knows what people with other eyes and hands need: from npm, kept beside the tests' artefacts. Without npm its part of a test is left out.</summary>
internal static class Axe
{
    private const string Version = "4.10.3";
    private static readonly SemaphoreSlim Finding = new(1);
    private static string? _source;

    /// <summary>Its source; null where it cannot be had, which the test's output then says.</summary>
    public static async Task<string?> FindAsync(CancellationToken cancellationToken)
    {
        await Finding.WaitAsync(cancellationToken);
        try
        {
            if (_source is not null) return _source;
            var folder = Path.Combine(Path.GetTempPath(), $"lekhika-axe-{Version}");
            var file = Path.Combine(folder, "node_modules", "axe-core", "axe.min.js");
            if (!File.Exists(file)) await InstallAsync(folder, cancellationToken);
            if (File.Exists(file)) return _source = await File.ReadAllTextAsync(file, cancellationToken);
            TestContext.Current.TestOutputHelper?.WriteLine("axe-core is not there and npm could not get it: accessibility was not checked by it.");
            return null;
        }
        finally
        {
            Finding.Release();
        }
    }

    /// <summary>What it calls serious or critical.</summary>
    public static async Task<string[]> SeriousAsync(IPage page, string source)
    {
        await page.EvaluateAsync($"() => {{ if (!window.axe) {{ {source} }} }}");
        return await page.EvaluateAsync<string[]>("""
            async () => (await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })).violations
              .filter(v => v.impact === 'serious' || v.impact === 'critical')
              .flatMap(v => v.nodes.map(n => `${v.id}: ${n.target} ${n.failureSummary}`)).slice(0, 8)
            """);
    }

    private static async Task InstallAsync(string folder, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        try
        {
            using var npm = Process.Start(new ProcessStartInfo("npm", ["install", "--silent", "--no-audit", "--no-fund", "--prefix", folder, $"axe-core@{Version}"]));
            if (npm is not null) await npm.WaitForExitAsync(cancellationToken);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            // There is no npm.
        }
    }
}

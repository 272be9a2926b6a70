using System.Diagnostics;
using System.Text.RegularExpressions;
using Lekhika.Doubles;
using Xunit;

namespace Lekhika.Inference.Tests.Double;

/// <summary>The double as a program of its own.</summary>
public sealed partial class ProgramTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_tells_where_it_listens_and_serves_what_the_command_line_says()
    {
        using var process = Start(["--port", "0", "--models", "only:1b,llama3.2", "--speed=0"]);
        try
        {
            var line = await process.StandardOutput.ReadLineAsync(Token);
            var address = Ready().Match(line ?? "");
            Assert.True(address.Success, line);
            using var client = new HttpClient { BaseAddress = new Uri(address.Groups["address"].Value) };
            Assert.Equal("Ollama is running", await client.GetStringAsync(new Uri("/", UriKind.Relative), Token));
            var tags = await client.GetStringAsync(new Uri("/api/tags", UriKind.Relative), Token);
            Assert.Contains("\"only:1b\"", tags, StringComparison.Ordinal);
            Assert.DoesNotContain("mistral", tags, StringComparison.Ordinal);
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(Token);
        }
    }

    [Fact]
    public async Task A_bad_argument_is_named_and_exits_78()
    {
        using var process = Start(["--port", "http"]);
        var error = await process.StandardError.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);
        Assert.Equal(78, process.ExitCode);
        Assert.Contains("--port is 'http'; expected a number from 0 to 65535", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Arguments_go_before_the_environment()
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["OLLAMA_DOUBLE_MAX_QUEUE"] = "7", ["OLLAMA_DOUBLE_LOAD_MS"] = "900" };
        var options = CommandLine.Read(["--load-ms", "5", "--parallel=3", "--keep-alive", "2m30s"], environment.GetValueOrDefault);
        Assert.Equal((7, TimeSpan.FromMilliseconds(5), 3), (options.MaxQueue, options.LoadTime, options.Parallel));
        Assert.Equal(TimeSpan.FromSeconds(150), options.KeepAlive);
        var unknown = Assert.Throws<FormatException>(() => CommandLine.Read(["--speedy", "1"], _ => null));
        Assert.Contains("--speed", unknown.Message, StringComparison.Ordinal);
    }

    private static Process Start(string[] arguments)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "ollama-double.dll");
        var start = new ProcessStartInfo("dotnet", ["exec", program, .. arguments]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        return Process.Start(start)!;
    }

    [GeneratedRegex("^ollama-double listening on (?<address>http://127\\.0\\.0\\.1:[0-9]+)$", RegexOptions.None, 1000)]
    private static partial Regex Ready();
}

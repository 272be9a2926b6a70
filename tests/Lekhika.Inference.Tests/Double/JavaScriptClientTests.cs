using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using Lekhika.Doubles;
using Xunit;

namespace Lekhika.Inference.Tests.Double;

/// <summary>The official JavaScript client takes the double for a server.</summary>
public sealed class JavaScriptClientTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_official_client_chats_streams_generates_lists_and_reports_errors()
    {
        var folder = await InstallAsync();
        await using var ollama = await OllamaDouble.StartAsync(new OllamaDoubleOptions { TokensPerSecond = 0, ReplyTokens = 60 }, Token);
        var run = await RunAsync("node", ["drive.mjs", ollama.BaseAddress.ToString()], folder);
        Assert.True(run.Code == 0, run.Error);
        var got = JsonElement.Parse(run.Output);

        var chat = got.GetProperty("chat");
        Assert.True(chat.GetProperty("done").GetBoolean());
        Assert.Equal("stop", chat.GetProperty("reason").GetString());
        var stream = got.GetProperty("stream");
        Assert.Equal(chat.GetProperty("text").GetString(), stream.GetProperty("text").GetString());
        Assert.True(stream.GetProperty("done").GetBoolean());
        Assert.True(stream.GetProperty("parts").GetInt32() > 10);
        Assert.Equal(JsonValueKind.Object, got.GetProperty("generate").GetProperty("json").ValueKind);
        Assert.True(got.GetProperty("generate").GetProperty("context").GetBoolean());
        Assert.Equal("""{"colour":"blue"}""", got.GetProperty("schema").GetRawText());
        Assert.Contains("llama3.2:latest", Words(got.GetProperty("list")));
        Assert.Contains("llama3.2:latest", Words(got.GetProperty("running")));
        Assert.Contains("completion", Words(got.GetProperty("show")));
        Assert.Equal("success", Words(got.GetProperty("pulled"))[^1]);
        Assert.Equal(2, got.GetProperty("embeddings").GetInt32());
        var errors = got.GetProperty("errors");
        Assert.Equal((404, "model 'nope' not found"), (errors.GetProperty("missing").GetProperty("status").GetInt32(), errors.GetProperty("missing").GetProperty("message").GetString()));
        Assert.Equal(503, errors.GetProperty("busy").GetProperty("status").GetInt32());
        Assert.Equal("an error was encountered while running the model: unexpected EOF", errors.GetProperty("midstream").GetProperty("message").GetString());
        Assert.Contains("done", errors.GetProperty("eof").GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal("AbortError", got.GetProperty("abort").GetString());
        await DoubleClient.UntilAsync(() => ollama.Stats.InFlight == 0, Token);
    }

    private static string[] Words(JsonElement list) => [.. list.EnumerateArray().Select(word => word.GetString()!)];

    /// <summary>Installs the client once, outside what is committed.</summary>
    private static async Task<string> InstallAsync()
    {
        var source = Path.Combine(Recordings.RepositoryRoot, "tests", "Lekhika.Inference.Tests", "Double", "js-client");
        var folder = Path.Combine(Recordings.RepositoryRoot, "artifacts", "js-client");
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.GetFiles(source))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        if (Directory.Exists(Path.Combine(folder, "node_modules", "ollama")))
            return folder;
        Outcome installed;
        try
        {
            installed = await RunAsync("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"], folder);
        }
        catch (Win32Exception)
        {
            Assert.Skip("npm is not on the path; the official JavaScript client was not tried");
            throw;
        }
        Assert.SkipWhen(installed.Code != 0, $"npm could not install the official JavaScript client: {installed.Error}");
        return folder;
    }

    private static async Task<Outcome> RunAsync(string program, string[] arguments, string folder)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(Token);
            var error = process.StandardError.ReadToEndAsync(Token);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(Token);
            limit.CancelAfter(TimeSpan.FromSeconds(90));
            await process.WaitForExitAsync(limit.Token);
            return new Outcome(process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    private sealed record Outcome(int Code, string Output, string Error);
}

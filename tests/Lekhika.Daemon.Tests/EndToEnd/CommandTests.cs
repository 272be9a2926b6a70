using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Doubles;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>The commands that end by themselves.</summary>
public sealed class CommandTests(Servers servers)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Migrate_shows_what_it_would_do_does_it_and_has_nothing_left_to_do()
    {
        var cluster = await servers.ClusterAsync();
        var connection = await cluster.CreateDatabaseAsync();
        var url = cluster.Url(connection);
        var status = await MigrateAsync(url, "--status");
        Assert.Contains("pending  0001", status.Output, StringComparison.Ordinal);
        Assert.NotEqual(0, status.ExitCode);
        var dry = await MigrateAsync(url, "--dry-run");
        Assert.Equal(0, dry.ExitCode);
        Assert.Contains("CREATE TABLE", dry.Output, StringComparison.Ordinal);
        Assert.Contains("pending  0001", (await MigrateAsync(url, "--status")).Output, StringComparison.Ordinal);

        var done = await MigrateAsync(url);
        Assert.True(done.ExitCode == 0, done.Tail());
        Assert.Contains("applied  0001", done.Output, StringComparison.Ordinal);
        var after = await MigrateAsync(url, "--status");
        Assert.Equal(0, after.ExitCode);
        Assert.DoesNotContain("pending", after.Output, StringComparison.Ordinal);
        Assert.Contains("up to date", (await MigrateAsync(url)).Output, StringComparison.Ordinal);
        Assert.Equal("", (await MigrateAsync(url, "--dry-run")).Output.Trim());
    }

    [Fact]
    public async Task Migrate_without_a_server_fails_and_says_where_it_looked()
    {
        var run = await MigrateAsync($"postgres://postgres@127.0.0.1:{Ports.Take()}/nowhere");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("127.0.0.1", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_version_is_one_line()
    {
        var run = await ChildProcess.RunAsync(null, Cancellation, "--version");
        Assert.Equal(0, run.ExitCode);
        Assert.Matches("^lekhika-daemon [0-9]+\\.[0-9]+", run.Output);
        Assert.Single(run.Lines);
    }

    [Fact]
    public async Task Try_runs_a_file_in_memory_and_prints_the_result()
    {
        await using var ollama = await OllamaDouble.StartAsync(Scene.Fast, Cancellation);
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, Flows.OneModel("About {{ inputs.topic }} " + Flows.Say("It rains.")), Cancellation);
        var run = await TryAsync(ollama, file, "--input", "topic=rain");
        Assert.True(run.ExitCode == 0, run.Tail());
        Assert.Contains("It rains.", run.Output, StringComparison.Ordinal);
        Assert.Contains(ollama.Stats.Seen, static request => request.Body.Contains("About rain", StringComparison.Ordinal));

        await File.WriteAllTextAsync(file, """{"nodes":[{"id":"a","type":"sracping"}],"edges":[]}""", Cancellation);
        run = await TryAsync(ollama, file);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("sracping", run.Error, StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, "{", Cancellation);
        run = await TryAsync(ollama, file);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("not JSON", run.Error, StringComparison.Ordinal);
        File.Delete(file);
    }

    [Fact]
    public async Task A_trial_sits_out_delays_and_says_so_where_it_would_wait_for_somebody()
    {
        await using var ollama = await OllamaDouble.StartAsync(new OllamaDoubleOptions(), Cancellation);
        var file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        await File.WriteAllTextAsync(
            file,
            """
            {"nodes":[{"id":"before","type":"set","config":{"values":{"n":"{{ 20 + 1 }}"}}},{"id":"wait","type":"delay","config":{"for":"400ms"}},
                      {"id":"after","type":"set","config":{"values":{"n":"{{ nodes.before.n * 2 }}"}}}],
             "edges":[{"from":"before","to":"wait"},{"from":"wait","to":"after"}]}
            """,
            Cancellation);
        var run = await TryAsync(ollama, file);
        Assert.True(run.ExitCode == 0, run.Tail());
        Assert.Contains("\"n\": 42", run.Output, StringComparison.Ordinal);
        Assert.Contains("completed in", run.Error, StringComparison.Ordinal);
        Assert.Contains("waiting until ", run.Error, StringComparison.Ordinal);

        await File.WriteAllTextAsync(file, """{"nodes":[{"id":"ask","type":"approval","config":{"message":"Well?"}}],"edges":[]}""", Cancellation);
        run = await TryAsync(ollama, file);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("submit it to a daemon", run.Error, StringComparison.Ordinal);
        File.Delete(file);
    }

    private static Task<ChildProcess> TryAsync(OllamaDouble ollama, string file, params string[] more) =>
        ChildProcess.RunAsync(null, Cancellation, ["try", file, "--config", "/dev/null", "--ollama.url", ollama.BaseAddress.ToString(), .. more]);

    private static Task<ChildProcess> MigrateAsync(string url, params string[] more) =>
        ChildProcess.RunAsync(null, Cancellation, ["migrate", "--config", "/dev/null", "--database.url", url, .. more]);
}

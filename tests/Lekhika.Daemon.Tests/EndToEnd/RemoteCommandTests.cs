using System.Text.Json;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>The commands that ask a running daemon.</summary>
public sealed class RemoteCommandTests(Servers servers)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_execution_is_submitted_waited_for_listed_shown_and_told_about()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync();
        var file = await FileAsync(daemon, "flow.json", """
            {"name":"rivers","nodes":[{"id":"in","type":"trigger","config":{"fields":[{"name":"topic","type":"string","required":true}]}},
             {"id":"ask","type":"llm","config":{"model":"llama3.2","prompt":"[[double:reply:A long river.]] {{ inputs.topic }}"}}],
             "edges":[{"from":"in","to":"ask"}]}
            """);
        var submitted = await RunAsync(daemon, "submit", file, "--input", "topic=rivers", "--wait");
        Assert.True(submitted.ExitCode == 0, submitted.Tail());
        Assert.Contains("A long river.", submitted.Output, StringComparison.Ordinal);
        var id = submitted.Error.Split("execution ", 2)[1][..36];

        var watched = await RunAsync(daemon, "submit", file, "--input", "topic=rivers", "--watch");
        Assert.Contains("completed", watched.Error, StringComparison.Ordinal);
        var refused = await RunAsync(daemon, "submit", await FileAsync(daemon, "bad.json", """{"nodes":[{"id":"a","type":"sracping"}],"edges":[]}"""));
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("workflow.nodes[0].type", refused.Error, StringComparison.Ordinal);

        var list = await RunAsync(daemon, "list", "--status", "completed");
        Assert.True(list.ExitCode == 0, list.Tail());
        Assert.Contains(id, list.Output, StringComparison.Ordinal);
        Assert.Contains("rivers", list.Output, StringComparison.Ordinal);
        var json = Parse((await RunAsync(daemon, "list", "--model", "llama3.2", "--json")).Output);
        Assert.Equal(2, json.GetArrayLength());

        var status = await RunAsync(daemon, "status", id);
        Assert.Contains("100.0 %", status.Output, StringComparison.Ordinal);
        Assert.Matches(@"ask +llm +completed +1 +[0-9.]+ m?s", status.Output);
        Assert.Equal(0, (await RunAsync(daemon, "status", id, "--watch")).ExitCode);
        Assert.Equal("completed", Parse((await RunAsync(daemon, "status", id, "--json")).Output).GetProperty("status").GetString());
        Assert.Contains("healthy", (await RunAsync(daemon, "status")).Output, StringComparison.Ordinal);
        var logs = await RunAsync(daemon, "logs", id);
        Assert.Contains("ask succeeded", logs.Output, StringComparison.Ordinal);
        Assert.Contains("yes", (await RunAsync(daemon, "workers")).Output, StringComparison.Ordinal);
        Assert.Equal(0, Parse((await RunAsync(daemon, "queue", "--json")).Output).GetProperty("ready").GetInt32());
        Assert.Equal(0, (await RunAsync(daemon, "jobs")).ExitCode);
    }

    [Fact]
    public async Task What_runs_is_paused_resumed_and_stopped_and_what_is_not_there_is_an_error()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync();
        var file = await FileAsync(daemon, "slow.json", """{"nodes":[{"id":"a","type":"delay","config":{"for":"1h"}}],"edges":[]}""");
        var id = (await RunAsync(daemon, "submit", file)).Output.Trim();
        await scene.UntilAsync(Guid.Parse(id), "waiting");
        Assert.Contains(id, (await RunAsync(daemon, "list", "--status", "waiting")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync(daemon, "pause", id)).ExitCode);
        Assert.Equal(0, (await RunAsync(daemon, "resume", id)).ExitCode);
        Assert.Equal(0, (await RunAsync(daemon, "stop", id)).ExitCode);
        var again = await RunAsync(daemon, "stop", id, "--json");
        Assert.Equal((1, "already_finished"), (again.ExitCode, Parse(again.Output).GetProperty("code").GetString()));
        Assert.Equal(1, (await RunAsync(daemon, "status", id, "--watch")).ExitCode);
        var unknown = await RunAsync(daemon, "logs", Guid.NewGuid().ToString());
        Assert.Equal(1, unknown.ExitCode);
        Assert.Contains("There is no execution", unknown.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_daemon_that_is_not_there_or_wants_another_secret_is_told_apart()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync();
        var nobody = await ChildProcess.RunAsync(null, Cancellation, ["status", "--config", "/dev/null", "--url", $"http://127.0.0.1:{Ports.Take()}"]);
        Assert.Equal(69, nobody.ExitCode);
        Assert.Contains("cannot be reached", nobody.Error, StringComparison.Ordinal);
        var secret = await FileAsync(daemon, "secret", "another-secret-0123456789\n");
        var stranger = await ChildProcess.RunAsync(null, Cancellation, ["status", "--url", $"http://127.0.0.1:{daemon.Port}", "--secret-file", secret]);
        Assert.Equal(1, stranger.ExitCode);
        Assert.Contains("--secret-file", stranger.Error, StringComparison.Ordinal);
        Assert.Equal(2, (await ChildProcess.RunAsync(null, Cancellation, ["status", "--url", "nonsense"])).ExitCode);
    }

    [Fact]
    public async Task Queue_repair_gives_a_place_to_what_a_restore_brought_back_without_one()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var id = await scene.InsertAsync(Flows.Trivial);
        await scene.UntilSqlAsync<long>("WITH gone AS (DELETE FROM lekhika.ready RETURNING 1) SELECT count(*) FROM gone", static gone => gone == 1);
        var repaired = await ChildProcess.RunAsync(null, Cancellation, ["queue", "repair", "--json", "--config", "/dev/null", "--database.url", scene.DatabaseUrl]);
        Assert.Equal((0, 1), (repaired.ExitCode, Parse(repaired.Output).GetProperty("placed").GetInt32()));
        await scene.DaemonAsync();
        Assert.Equal("completed", (await scene.EndAsync(id)).Status);
        repaired = await ChildProcess.RunAsync(null, Cancellation, ["queue", "repair", "--config", "/dev/null", "--database.url", scene.DatabaseUrl]);
        Assert.Contains("every unfinished execution has its place", repaired.Output, StringComparison.Ordinal);
    }

    private static Task<ChildProcess> RunAsync(DaemonProcess daemon, params string[] arguments) =>
        ChildProcess.RunAsync(null, Cancellation, [.. arguments, "--config", daemon.ConfigFile]);

    private static async Task<string> FileAsync(DaemonProcess daemon, string name, string text)
    {
        var path = Path.Combine(daemon.StateDirectory, name);
        await File.WriteAllTextAsync(path, text, Cancellation);
        return path;
    }

    private static JsonElement Parse(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }
}

using Lekhika.Daemon.Tests.EndToEnd.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>
/// A daemon that reaches its database by way of PgBouncer. In transaction mode every transaction may meet another session: nothing is prepared, nothing
/// is listened for, and everything works at the pace of the poll.
/// </summary>
public sealed class PgBouncerTests(Servers servers)
{
    private const string SessionState =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND (query LIKE 'LISTEN%' OR query LIKE 'UNLISTEN%')";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static void SkipWithoutPgBouncer() =>
        Assert.SkipUnless(PgBouncerProcess.Program is not null, "PgBouncer is not installed (Debian's package pgbouncer), so what it does to a daemon is not tried.");

    [Theory]
    [InlineData("?pgbouncer=true")]
    [InlineData("")]
    public async Task In_transaction_mode_told_of_or_found_out_everything_works_by_polling(string told)
    {
        SkipWithoutPgBouncer();
        await using var scene = await Scene.BeginAsync(servers);
        await using var bouncer = await PgBouncerProcess.StartAsync(scene.Cluster, "transaction", connections: 4);
        var daemon = await scene.DaemonAsync(setup =>
        {
            setup.Settings["database.url"] = bouncer.Url(scene.Database.ConnectionString) + told;
            setup.Settings["worker.poll_interval"] = "200ms";
        });
        if (told.Length == 0) await daemon.LogAsync(Cancellation, "A transaction pooler stands before the database");

        // Many at once by SQL and by HTTP, over few sessions, so that each meets those of others.
        var model = await scene.InsertAsync(Flows.Chain(Flows.Say("one"), Flows.Say("two")));
        var many = new List<Guid>();
        for (var i = 0; i < 40; i++) many.Add(await scene.InsertAsync(Flows.Trivial));
        var posted = await daemon.PostAsync("execute", $$$"""{"workflow":{{{Flows.Trivial}}}}""", Cancellation);
        Assert.Equal(202, posted.Status);
        await daemon.UntilAsync(
            posted.Body.GetProperty("statusUrl").GetString()!.TrimStart('/'), static (_, body) => body.GetProperty("status").GetString() == "completed", Cancellation);
        Assert.Equal("completed", (await scene.EndAsync(model)).Status);
        foreach (var id in many) Assert.Equal("completed", (await scene.EndAsync(id)).Status);
        Assert.Equal(["a succeeded", "b succeeded"], await scene.StepsAsync(model));

        // A bad value leaves the session that it met as it was.
        var bad = await daemon.PostAsync("execute", """{"workflowId":"00000000-0000-0000-0000-00000000dead"}""", Cancellation);
        Assert.InRange(bad.Status, 400, 499);
        Assert.Equal("completed", (await scene.EndAsync(await scene.InsertAsync(Flows.Trivial))).Status);

        var (_, ready) = await daemon.GetAsync("health/ready", Cancellation);
        Assert.DoesNotContain("\"listening\":true", ready.GetRawText().Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(0, await scene.Database.ScalarAsync<long>(SessionState, Cancellation));
        Assert.DoesNotContain("prepared statement", daemon.Child.Tail(1000), StringComparison.Ordinal);
        Assert.Equal(0, await daemon.StopAsync(Cancellation));
    }

    [Fact]
    public async Task In_transaction_mode_an_execution_is_paused_resumed_signalled_and_stopped()
    {
        SkipWithoutPgBouncer();
        await using var scene = await Scene.BeginAsync(servers);
        await using var bouncer = await PgBouncerProcess.StartAsync(scene.Cluster, "transaction", connections: 4);
        var daemon = await scene.DaemonAsync(setup => setup.Settings["database.url"] = bouncer.Url(scene.Database.ConnectionString));

        var paused = await scene.InsertAsync(Flows.Chain(Flows.Slowly(80, 20, "long"), Flows.Say("after")));
        await scene.UntilOllamaAsync(static stats => stats.Generating == 1);
        Assert.InRange((await daemon.PostAsync($"pause/{paused}", "", Cancellation)).Status, 200, 299);
        await scene.UntilAsync(paused, "paused");
        await scene.UntilSqlAsync<long>("SELECT count(*) FROM lekhika.parked WHERE paused", static count => count == 1);
        Assert.Equal(["a succeeded"], await scene.StepsAsync(paused));
        Assert.InRange((await daemon.PostAsync($"resume/{paused}", "", Cancellation)).Status, 200, 299);
        Assert.Equal("completed", (await scene.EndAsync(paused)).Status);

        var waiting = await scene.InsertAsync("""{"nodes":[{"id":"gate","type":"approval","config":{"message":"?"}}],"edges":[]}""");
        await scene.UntilAsync(waiting, "waiting");
        Assert.InRange((await daemon.PostAsync($"approve/{waiting}", "{}", Cancellation)).Status, 200, 299);
        Assert.Equal("completed", (await scene.EndAsync(waiting)).Status);

        var stopped = await scene.InsertAsync(Flows.OneModel(Flows.Slowly(2000, 20, "endless")));
        await scene.UntilOllamaAsync(static stats => stats.Generating == 1);
        Assert.InRange((await daemon.PostAsync($"stop/{stopped}", "", Cancellation)).Status, 200, 299);
        Assert.Equal("cancelled", (await scene.EndAsync(stopped)).Status);
        await scene.UntilOllamaAsync(static stats => stats.Generating == 0);
        Assert.Equal(0, await daemon.StopAsync(Cancellation));
    }

    [Fact]
    public async Task PgBouncer_may_die_under_the_daemon_and_with_it_and_nothing_recorded_or_answered_is_asked_twice()
    {
        SkipWithoutPgBouncer();
        await using var scene = await Scene.BeginAsync(servers);
        var bouncer = await PgBouncerProcess.StartAsync(scene.Cluster, "transaction", connections: 4);
        try
        {
            var first = await scene.DaemonAsync(setup => setup.Settings["database.url"] = bouncer.Url(scene.Database.ConnectionString));
            var id = await scene.InsertAsync(Chain("living"));
            await scene.UntilOllamaAsync(static stats => stats is { Completed: 1, Generating: 1 });

            // It dies under a living daemon in the middle of a model's answer, which comes before there is another one in its place.
            await bouncer.DisposeAsync();
            await scene.UntilOllamaAsync(static stats => stats is { Completed: 2, Generating: 0 });
            await first.LogAsync(Cancellation, "The database does not take the journal's writes");
            Assert.Equal(["a succeeded"], await scene.StepsAsync(id));
            bouncer = await PgBouncerProcess.StartAsync(scene.Cluster, "transaction", connections: 4, bouncer.Port);
            Assert.Equal("completed", (await scene.EndAsync(id)).Status);
            Assert.Equal(["a succeeded", "b succeeded", "c succeeded"], await scene.StepsAsync(id));
            Assert.Equal((1, 1, 1), Asked("living"));

            // Both die: the attempt that was in flight is lost and made again, and nothing else is.
            id = await scene.InsertAsync(Chain("dying"));
            await scene.UntilOllamaAsync(static stats => stats is { Completed: 4, Generating: 1 });
            await first.KillAsync();
            await bouncer.DisposeAsync();
            bouncer = await PgBouncerProcess.StartAsync(scene.Cluster, "transaction", connections: 4);
            var daemon = await scene.DaemonAsync(setup =>
            {
                setup.StateDirectory = first.StateDirectory;
                setup.Settings["database.url"] = bouncer.Url(scene.Database.ConnectionString);
            });
            await daemon.LogAsync(Cancellation, "Took back 1 executions");
            Assert.Equal("completed", (await scene.EndAsync(id)).Status);
            Assert.Equal(["a succeeded", "b succeeded", "c succeeded"], await scene.StepsAsync(id));
            Assert.Equal((1, 2, 1), Asked("dying"));
            Assert.Equal(0, await daemon.StopAsync(Cancellation));
        }
        finally
        {
            await bouncer.DisposeAsync();
        }

        static string Chain(string mark) => Flows.Chain($"{mark} a {Flows.Say("first")}", Flows.Slowly(60, 30, $"{mark} b"), $"{mark} c {Flows.Say("after")}");

        (int A, int B, int C) Asked(string mark) => (Times($"{mark} a"), Times($"{mark} b"), Times($"{mark} c"));

        int Times(string text) => scene.Ollama.Stats.Seen.Count(request => request.Body.Contains(text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task In_transaction_mode_the_schema_is_made_as_without()
    {
        SkipWithoutPgBouncer();
        var cluster = await servers.ClusterAsync();
        await using var bouncer = await PgBouncerProcess.StartAsync(cluster, "transaction", connections: 2);
        var database = await cluster.CreateDatabaseAsync();
        var migrated = await ChildProcess.RunAsync(null, Cancellation, "migrate", "--database.url", bouncer.Url(database));
        Assert.True(migrated.ExitCode == 0, migrated.Tail());
        var again = await ChildProcess.RunAsync(null, Cancellation, "migrate", "--database.url", cluster.Url(database));
        Assert.Contains("up to date", again.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task In_session_mode_it_listens_as_without()
    {
        SkipWithoutPgBouncer();
        await using var scene = await Scene.BeginAsync(servers);
        await using var bouncer = await PgBouncerProcess.StartAsync(scene.Cluster, "session", connections: 40);
        var daemon = await scene.DaemonAsync(setup => setup.Settings["database.url"] = bouncer.Url(scene.Database.ConnectionString));
        await daemon.LogAsync(Cancellation, "Listening on channel");
        Assert.Equal("completed", (await scene.EndAsync(await scene.InsertAsync(Flows.OneModel(Flows.Say("woken"))))).Status);
        Assert.Equal(0, await daemon.StopAsync(Cancellation));
    }
}

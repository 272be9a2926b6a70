using Lekhika.Daemon.Tests.EndToEnd.Support;
using Npgsql;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>When a request that changes something is answered.</summary>
public sealed class CommitTests(Servers servers)
{
    // Every transaction that changes one of these waits at its commit, as it would for a slow disk, while somebody holds the lock.
    private const string SlowCommits = """
        CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(1042); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT OR UPDATE ON lekhika.workflow_executions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION at_commit();
        CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON lekhika.workflow_signals DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION at_commit();
        CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON lekhika.workflow_generation_jobs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION at_commit();
        """;

    private const string Waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 1042 AND NOT granted";

    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(300);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_route_that_promises_something_answers_after_the_commit_and_not_before()
    {
        await using var scene = await Scene.BeginAsync(servers, Scene.Fast with { Parallel = 8 });
        var daemon = await scene.DaemonAsync();
        var stopped = await scene.InsertAsync(Flows.OneModel(Flows.Slowly(3000, 20, "to be stopped")));
        var held = await scene.InsertAsync(Flows.OneModel(Flows.Slowly(3000, 20, "to be paused")));
        var paused = await scene.InsertAsync(Flows.Trivial, status: "paused");
        var failed = await scene.InsertAsync("""{"nodes":[{"id":"a","type":"stop_and_error","config":{"message":"as it must"}}],"edges":[]}""");
        var signalled = await scene.InsertAsync("""{"nodes":[{"id":"a","type":"delay","config":{"signal":"go","for":"1h"}}],"edges":[]}""");
        var (approved, rejected) = (await scene.InsertAsync(Gate), await scene.InsertAsync(Gate));
        var posted = Guid.NewGuid();
        var job = Guid.NewGuid();
        foreach (var id in new[] { stopped, held }) await scene.UntilAsync(id, "running");
        foreach (var id in new[] { signalled, approved, rejected }) await scene.UntilAsync(id, "waiting");
        Assert.Equal("failed", (await scene.EndAsync(failed)).Status);
        await scene.Database.ExecuteAsync(SlowCommits, Cancellation);

        (string Route, string Body, string Done)[] routes =
        [
            ("execute", $$$"""{"executionId":"{{{posted}}}","workflow":{{{Flows.Trivial}}}}""", Is($"id = '{posted}'")),
            ($"stop/{stopped}", "", Is($"id = '{stopped}' AND status = 'cancelled'")),
            ($"pause/{held}", "", Is($"id = '{held}' AND status = 'paused'")),
            ($"resume/{paused}", "", Is($"id = '{paused}' AND status <> 'paused'")),
            ($"retry/{failed}", "", Is($"id = '{failed}' AND run = 2")),
            ($"executions/{signalled}/signals", """{"name":"go"}""", IsSignalled(signalled)),
            ($"approve/{approved}", "{}", IsSignalled(approved)),
            ($"reject/{rejected}", "{}", IsSignalled(rejected)),
            ("jobs", $$"""{"id":"{{job}}","prompt":"Write poems"}""", $"SELECT count(*) FROM lekhika.workflow_generation_jobs WHERE id = '{job}'"),
        ];
        foreach (var (route, body, done) in routes) await AnswersAfterTheCommitAsync(scene, daemon, route, body, done);

        static string Is(string what) => $"SELECT count(*) FROM lekhika.workflow_executions WHERE {what}";

        static string IsSignalled(Guid id) => $"SELECT count(*) FROM lekhika.workflow_signals WHERE execution_id = '{id}'";
    }

    private const string Gate = """{"nodes":[{"id":"gate","type":"approval","config":{"message":"?"}}],"edges":[]}""";

    /// <param name="scene">Where.</param>
    /// <param name="daemon">Who is asked.</param>
    /// <param name="route">What is posted to.</param>
    /// <param name="body">What is posted.</param>
    /// <param name="done">Counts 1 once what was asked for is committed, and 0 before.</param>
    private static async Task AnswersAfterTheCommitAsync(Scene scene, DaemonProcess daemon, string route, string body, string done)
    {
        await using var disk = new NpgsqlConnection(scene.Database.ConnectionString + ";Pooling=false");
        await disk.OpenAsync(Cancellation);
        await using (var hold = new NpgsqlCommand("SELECT pg_advisory_lock(1042)", disk)) await hold.ExecuteNonQueryAsync(Cancellation);
        Assert.Equal(0, await scene.Database.ScalarAsync<long>(done, Cancellation));
        var reply = daemon.PostAsync(route, body, Cancellation);
        await scene.UntilSqlAsync<long>(Waiting, static count => count > 0);
        // Nothing tells that an answer does not come.
        await Task.Delay(Moment, TimeProvider.System, Cancellation);
        Assert.False(reply.IsCompleted, $"{route} was answered before the commit");
        Assert.Equal(0, await scene.Database.ScalarAsync<long>(done, Cancellation));

        await using (var release = new NpgsqlCommand("SELECT pg_advisory_unlock(1042)", disk)) await release.ExecuteNonQueryAsync(Cancellation);
        var (status, answer) = await reply;
        Assert.True(status is 200 or 202, $"{route}: {status} {answer}");
        Assert.Equal(1, await scene.Database.ScalarAsync<long>(done, Cancellation));
        await scene.UntilSqlAsync<long>(Waiting, static count => count == 0);
    }
}

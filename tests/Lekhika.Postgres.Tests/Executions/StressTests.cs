using System.Diagnostics;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Queue;
using Lekhika.Tests.Support;
using Xunit;

namespace Lekhika.Postgres.Tests.Executions;

/// <summary>Everything at once for some seconds: no deadlock, no lost and no double place.</summary>
public sealed class StressTests(PostgresCluster cluster)
{
    private static readonly string[] Statuses = ["pending", "paused", "cancelled", "running", "completed"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Flushes_evictions_commands_and_claims_together_neither_deadlock_nor_lose_a_place()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        const int Executions = 150;
        await engine.InsertAsync(Executions);
        var end = Stopwatch.GetTimestamp() + (5 * Stopwatch.Frequency);
        bool Going() => Stopwatch.GetTimestamp() < end && !Token.IsCancellationRequested;

        // Enough workers that claims, stale fences and evictions meet; every one keeps writing under claims it may have lost.
        Task[] everybody =
        [
            .. Enumerable.Range(0, 3).Select(number => Task.Run(() => WorkAsync(engine, new Random(number), Going), Token)),
            // Only one of them changes many rows at a time: two such people could deadlock each other, which the engine has no part in.
            Task.Run(() => CommandAsync(engine, new Random(100), Executions, most: 12, Going), Token),
            Task.Run(() => CommandAsync(engine, new Random(101), Executions, most: 1, Going), Token),
            Task.Run(() => EvictAsync(engine, new Random(200), Going), Token),
            .. Enumerable.Range(0, 2).Select(_ => Task.Run(() => TendAsync(engine, Going), Token)),
            Task.Run(() => CheckAsync(engine, Going), Token),
        ];
        await Task.WhenAll(everybody);
        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"));

        while (await engine.ObeyAsync() > 0)
        {
        }

        await Invariants.AssertPlacesAsync(engine.Db, settled: false, Token);

        // Once everything is given back, resumed and run to its end, nothing is left anywhere.
        await engine.ExecuteAsync("UPDATE lekhika.workers SET expires_at = clock_timestamp() - interval '1 second'");
        var last = await engine.EnlistAsync();
        await engine.RescueAsync(last);
        await engine.ExecuteAsync("UPDATE lekhika.workflow_executions SET status = 'running' WHERE status = 'paused'");
        await engine.ObeyAsync();
        await engine.ExecuteAsync("UPDATE lekhika.parked SET due_at = clock_timestamp()");
        await engine.Queue.WakeDueAsync(1000, Token);
        for (var claims = await engine.ClaimAsync(last, 50); claims.Count > 0; claims = await engine.ClaimAsync(last, 50))
        {
            await engine.FlushAsync(last, [.. claims.Select(claimed => Engine.Finish(claimed.Fence))]);
        }

        await Invariants.AssertPlacesAsync(engine.Db, settled: true, Token);
        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT (SELECT count(*) FROM lekhika.ready) + (SELECT count(*) FROM lekhika.held) + (SELECT count(*) FROM lekhika.parked)"));
        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions WHERE status NOT IN ('completed', 'failed', 'cancelled')"));
        Assert.True(await engine.ScalarAsync<int>("SELECT max(run) FROM lekhika.workflow_executions") > 1);
    }

    private static async Task WorkAsync(Engine engine, Random random, Func<bool> going)
    {
        var worker = await engine.EnlistAsync();
        var mine = new List<Fence>();
        while (going())
        {
            try
            {
                mine.AddRange((await engine.ClaimAsync(worker, random.Next(1, 30))).Select(claimed => claimed.Fence));
            }
            catch (RevokedException)
            {
                worker = await engine.EnlistAsync();
                continue;
            }

            var entries = mine.DistinctBy(fence => fence.Exec).Where(_ => random.Next(3) > 0).Select(fence => Entry(random, fence)).ToArray();
            if (entries.Length == 0) continue;
            var sorted = entries.OrderBy(entry => entry.Fence.Exec).ToArray();
            var replies = await engine.FlushAsync(worker, sorted);
            for (var i = 0; i < replies.Length; i++)
            {
                // Some refused fences are kept and offered again, as a daemon that has not noticed would.
                var over = replies[i] is { } reply && (reply.Verdict, sorted[i].Kind) is not ((JournalVerdict.Committed, JournalKind.Append or JournalKind.Running) or (JournalVerdict.Conflict or JournalVerdict.Resumed, _));
                if (over && random.Next(4) > 0) mine.Remove(sorted[i].Fence);
            }
        }
    }

    private static JournalEntry Entry(Random random, Fence fence)
    {
        var key = "s" + random.Next(4);
        var step = Engine.Step(key, random.Next(3) == 0 ? "x" : "1", run: fence.Run);
        return random.Next(7) switch
        {
            0 or 1 => Engine.Append(fence, step),
            2 => Engine.Running(fence, step),
            3 => Engine.Park(fence, "retry", DateTimeOffset.UnixEpoch, Engine.Retrying("r" + random.Next(1000), run: fence.Run)),
            4 => Engine.Park(fence, "paused"),
            5 => Engine.Release(fence),
            _ => Engine.Finish(fence, random.Next(2) == 0 ? "completed" : "failed"),
        };
    }

    private static async Task CommandAsync(Engine engine, Random random, int executions, int most, Func<bool> going)
    {
        while (going())
        {
            // Rows in any order, several of them in one transaction, as people do.
            var count = random.Next(0, most);
            var first = random.Next(1, executions + 1);
            await engine.ExecuteAsync(
                $"UPDATE lekhika.workflow_executions SET status = '{Statuses[random.Next(Statuses.Length)]}' WHERE seq IN (SELECT ($1 + i * 7) % {executions} + 1 FROM generate_series(0, $2) i ORDER BY 1)",
                first, count);
        }
    }

    private static async Task EvictAsync(Engine engine, Random random, Func<bool> going)
    {
        var rescuer = await engine.EnlistAsync();
        while (going())
        {
            var victims = await engine.ListAsync<long>("SELECT inc FROM lekhika.workers WHERE NOT revoked AND inc <> $1", rescuer);
            if (victims.Count > 0 && random.Next(3) == 0) await engine.ExpireAsync(victims[random.Next(victims.Count)]);
            await engine.RescueAsync(rescuer);
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Token);
        }
    }

    private static async Task TendAsync(Engine engine, Func<bool> going)
    {
        while (going())
        {
            await engine.Queue.ObeyAsync(20, Token);
            await engine.Queue.WakeDueAsync(20, Token);
        }
    }

    /// <summary>No execution is ever seen in two places, in the middle of it all.</summary>
    private static async Task CheckAsync(Engine engine, Func<bool> going)
    {
        while (going())
        {
            Assert.Equal(0, await engine.ScalarAsync<long>(
                """
                SELECT count(*) FROM (SELECT exec FROM (SELECT exec FROM lekhika.ready UNION ALL SELECT exec FROM lekhika.held UNION ALL SELECT exec FROM lekhika.parked) p
                                       GROUP BY exec HAVING count(*) > 1) twice
                """));
        }
    }
}

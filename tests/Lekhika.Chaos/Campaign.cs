using System.Globalization;
using Lekhika.Chaos.Faults;
using Lekhika.Chaos.Points;
using Lekhika.Chaos.World;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Tests.Support;
using Npgsql;

namespace Lekhika.Chaos;

/// <summary>
/// One campaign: the daemons work, faults strike one after another in an order drawn from the seed (every kind once before any comes again), then all is
/// made well, everything must come to its end, and the checker looks at what PostgreSQL and the ledger saw.
/// </summary>
internal sealed class Campaign(ChaosOptions options, TextWriter output)
{
    private static readonly TimeSpan Settling = TimeSpan.FromMinutes(3);
    private readonly IReadOnlyList<Fault> _deck = FaultDeck.All();
    private readonly long _begun = TimeProvider.System.GetTimestamp();

    /// <returns>Whether nothing was broken.</returns>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        Say($"seed {options.Seed}, {options.Daemons} daemons, {options.Duration.TotalMinutes:0.#} minutes, {string.Join(' ', DaemonBinary.Command)}");
        var share = options.CrashPointShare ?? options.Duration / 4;
        var sound = (!options.CrashPoints && share == TimeSpan.Zero)
            || await new CrashPoints(options, output).RunAsync(options.CrashPoints ? null : share, cancellationToken);
        if (options.CrashPoints || !sound)
        {
            Say(sound ? "nothing lost, nothing doubled" : $"BROKEN; again with --seed {options.Seed}{(options.CrashPoints ? " --crash-points" : "")}");
            return sound;
        }

        await using var scene = await Scene.BeginAsync(options);
        var workload = new Workload(scene.ConnectionString, scene.Daemons, options.Seed);
        await MigrateAsync(scene.Cluster, scene.ConnectionString, cancellationToken);
        await workload.PrepareAsync(scene.Ledger.Url, cancellationToken);
        foreach (var daemon in scene.Daemons) daemon.Start();

        using var producing = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var work = workload.RunAsync(producing.Token);
        await InjectAsync(scene, cancellationToken);
        await producing.CancelAsync();
        await work;
        Say("no more faults; everything must come to its end now");
        // The slots that were missed are made up for first.
        await scene.PauseAsync(3000, 3000, cancellationToken);
        if (!await workload.EndScheduleAsync(cancellationToken)) Say("the schedule did not catch up");
        var settled = await SettleAsync(scene, workload, cancellationToken);
        foreach (var daemon in scene.Daemons) await daemon.EndAsync(Signals.Terminate, cancellationToken);

        var verdict = await new Checker(scene, workload, _deck, output).CheckAsync(settled, cancellationToken);
        if (!verdict || options.Verbose)
        {
            scene.KeepsFolder = true;
            foreach (var daemon in scene.Daemons) daemon.KeepLog(scene.Folder);
            Say($"logs: {scene.Folder}");
        }

        Say(verdict ? "nothing lost, nothing doubled" : $"BROKEN; again with --seed {options.Seed}");
        return verdict;
    }

    private async Task InjectAsync(Scene scene, CancellationToken cancellationToken)
    {
        await scene.PauseAsync(2000, 2000, cancellationToken);
        var hand = new List<Fault>();
        while (TimeProvider.System.GetElapsedTime(_begun) is var elapsed && (elapsed < options.Duration || _deck.Any(static fault => fault.IsMissing)))
        {
            if (elapsed > options.Duration + Settling) break;
            // Beyond the time only those that have not struck yet.
            hand.RemoveAll(fault => elapsed >= options.Duration && !fault.IsMissing);
            if (hand.Count == 0) hand = [.. _deck.Where(fault => fault.IsMissing || (fault.Least > 0 && elapsed < options.Duration)).OrderBy(_ => scene.Random.Next())];
            var fault = hand[^1];
            hand.RemoveAt(hand.Count - 1);
            if (options.Verbose) Say(fault.Name);
            fault.Tries++;
            if (await fault.StrikeAsync(scene, cancellationToken)) fault.Hits++;
            await scene.PauseAsync(300, 2500, cancellationToken);
            scene.Revive();
        }
    }

    /// <summary>Waits until nothing is left to do. False: it took too long.</summary>
    private async Task<bool> SettleAsync(Scene scene, Workload workload, CancellationToken cancellationToken)
    {
        scene.Ollama.Reset();
        for (var begun = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(begun) < Settling;)
        {
            scene.Revive();
            await workload.SettleAsync(cancellationToken);
            await using var connection = new NpgsqlConnection(scene.ConnectionString);
            await connection.OpenAsync(cancellationToken);
            await using var command = new NpgsqlCommand(
                "SELECT count(*) FROM lekhika.workflow_executions WHERE status NOT IN ('completed', 'failed', 'cancelled')", connection);
            var left = (long)(await command.ExecuteScalarAsync(cancellationToken))!;
            if (left == 0)
            {
                // Places of executions that were cancelled while they waited go a moment later.
                await scene.PauseAsync(4000, 4000, cancellationToken);
                return true;
            }

            if (options.Verbose) Say($"{left} left");
            await scene.PauseAsync(1000, 1000, cancellationToken);
        }

        return false;
    }

    /// <summary>The schema, and the triggers that the checks rest on.</summary>
    public static async Task MigrateAsync(PostgresCluster cluster, string connectionString, CancellationToken cancellationToken)
    {
        var url = cluster.Url(connectionString);
        var migrate = await ChildProcess.RunAsync(null, cancellationToken, "migrate", "--database.url", url);
        if (migrate.ExitCode != 0) throw new InvalidOperationException($"migrate ended with {migrate.ExitCode}\n{migrate.Tail()}");
        await PostgresCluster.ExecuteAsync(connectionString, Audit.Install);
    }

    private void Say(string text) =>
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"[{TimeProvider.System.GetElapsedTime(_begun).TotalSeconds,6:0.0} s] {text}"));
}

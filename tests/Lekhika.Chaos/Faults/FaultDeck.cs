using System.Globalization;
using System.Text.Json;
using Lekhika.Chaos.World;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Doubles;
using Npgsql;

namespace Lekhika.Chaos.Faults;

/// <summary>
/// All faults there are. Each leaves the world as it found it, apart from what it broke, and counts only if something met it: a process was there to be
/// killed, a connection to be cut, bytes to be held up, a request to be answered badly.
/// </summary>
internal static class FaultDeck
{
    public static IReadOnlyList<Fault> All() =>
    [
        new("kill -9", 1, KillAsync),
        new("stand still for three leases", 1, StandStillAsync),
        new("stop and start, one after the other", 1, RollAsync),
        new("kill at the n-th message", 1, CrashPointAsync),
        new("database: restart -m immediate", 1, RestartDatabaseAsync),
        new("database: backends terminated", 1, TerminateBackendsAsync),
        new("connection: dropped", 1, static (scene, _) => Task.FromResult(scene.Any().Proxy.Drop(reset: false) > 0)),
        new("connection: reset", 1, static (scene, _) => Task.FromResult(scene.Any().Proxy.Drop(reset: true) > 0)),
        new("connection: refused", 1, RefuseAsync),
        new("stopped while its database is away", 1, StopAwayAsync),
        new("connection: slow", 1, SlowAsync),
        new("connection: half open", 1, HalfOpenAsync),
        new("connection: held up for three leases", 1, HoldUpAsync),
        new("ollama: refuses", 1, OllamaAwayAsync),
        new("ollama: 503", 1, static (scene, token) => ScriptAsync(scene, FaultKind.Busy, 20, token)),
        new("ollama: stalls", 1, static (scene, token) => ScriptAsync(scene, FaultKind.Stall, 3, token)),
        new("ollama: cuts streams", 1, static (scene, token) => ScriptAsync(scene, FaultKind.Cut, 10, token)),
        new("clock an hour ahead", World.Daemon.FakeTime() is null ? 0 : 1, static (scene, token) => SkewAsync(scene, "+3600s", token)),
        new("clock an hour behind", World.Daemon.FakeTime() is null ? 0 : 1, static (scene, token) => SkewAsync(scene, "-3600s", token)),
    ];

    private static async Task<bool> KillAsync(Scene scene, CancellationToken cancellationToken)
    {
        var victim = scene.Any();
        if (victim.Process is not { HasExited: false } process) return false;
        scene.Killed(process);
        await victim.EndAsync(Signals.Kill, cancellationToken);
        await scene.PauseAsync(0, 3500, cancellationToken);
        victim.Start();
        return true;
    }

    private static async Task<bool> StandStillAsync(Scene scene, CancellationToken cancellationToken)
    {
        if (scene.Any().Process is not { HasExited: false } process) return false;
        process.TrySignal(Signals.Stop);
        await scene.PauseAsync(6500, 7000, cancellationToken);
        scene.Wakings.Add(TimeProvider.System.GetUtcNow());
        return process.TrySignal(Signals.Continue);
    }

    private static async Task<bool> RollAsync(Scene scene, CancellationToken cancellationToken)
    {
        foreach (var daemon in scene.Daemons)
        {
            await daemon.EndAsync(Signals.Terminate, cancellationToken);
            daemon.Start();
        }

        return true;
    }

    private static async Task<bool> CrashPointAsync(Scene scene, CancellationToken cancellationToken)
    {
        var victim = scene.Any();
        if (victim.Process is not { HasExited: false } process) return false;
        var struck = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        victim.Proxy.TrapAt(scene.Random.Next(1, 200), before: scene.Random.Next(2) == 0, _ =>
        {
            // Unless it has just ended by itself.
            if (process.HasExited) return;
            scene.Killed(process);
            process.TrySignal(Signals.Kill);
            struck.TrySetResult();
        });
        try
        {
            await struck.Task.WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System, cancellationToken);
        }
        catch (TimeoutException)
        {
            victim.Proxy.Disarm();
            return false;
        }

        await victim.EndAsync(Signals.Kill, cancellationToken);
        victim.Start();
        return true;
    }

    private static async Task<bool> RestartDatabaseAsync(Scene scene, CancellationToken cancellationToken)
    {
        await scene.Cluster.StopAsync("immediate");
        await scene.PauseAsync(0, 3000, cancellationToken);
        await scene.Cluster.StartAsync();
        return true;
    }

    private static async Task<bool> TerminateBackendsAsync(Scene scene, CancellationToken cancellationToken)
    {
        var ended = 0L;
        for (var round = 0; round < 8; round++)
        {
            await using var connection = new NpgsqlConnection(scene.ConnectionString);
            await connection.OpenAsync(cancellationToken);
            await using var command = new NpgsqlCommand(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = ANY ($1) AND random() < 0.7", connection);
            command.Parameters.AddWithValue(scene.Daemons.Select(static daemon => daemon.Name).ToArray());
            ended += (long)(await command.ExecuteScalarAsync(cancellationToken))!;
            await scene.PauseAsync(50, 300, cancellationToken);
        }

        return ended > 0;
    }

    private static async Task<bool> RefuseAsync(Scene scene, CancellationToken cancellationToken)
    {
        var proxy = scene.Any().Proxy;
        proxy.Refuses = true;
        var cut = proxy.Drop(reset: false);
        await scene.PauseAsync(2500, 4500, cancellationToken);
        proxy.Refuses = false;
        return cut > 0;
    }

    /// <summary>What ends under way finds no database, and goes to the spool; counts only if something did.</summary>
    private static async Task<bool> StopAwayAsync(Scene scene, CancellationToken cancellationToken)
    {
        var victim = scene.Any();
        victim.Proxy.Refuses = true;
        victim.Proxy.Drop(reset: false);
        await victim.EndAsync(Signals.Terminate, cancellationToken);
        var spooled = victim.Spooled;
        victim.Proxy.Refuses = false;
        victim.Start();
        return spooled > 0;
    }

    private static async Task<bool> SlowAsync(Scene scene, CancellationToken cancellationToken)
    {
        var proxy = scene.Any().Proxy;
        var before = proxy.HeldUp;
        proxy.Delay = TimeSpan.FromMilliseconds(scene.Random.Next(20, 150));
        await scene.PauseAsync(3000, 4000, cancellationToken);
        proxy.Delay = TimeSpan.Zero;
        return proxy.HeldUp > before;
    }

    private static async Task<bool> HalfOpenAsync(Scene scene, CancellationToken cancellationToken)
    {
        var proxy = scene.Any().Proxy;
        var before = proxy.HeldUp;
        proxy.Stall();
        await scene.PauseAsync(4500, 6000, cancellationToken);
        var struck = proxy.HeldUp > before;
        var cut = proxy.Drop(reset: scene.Random.Next(2) == 0);
        proxy.Resume();
        return struck && cut > 0;
    }

    /// <summary>What was under way arrives after others have taken the executions over: the fence alone is between it and them.</summary>
    private static async Task<bool> HoldUpAsync(Scene scene, CancellationToken cancellationToken)
    {
        var proxy = scene.Any().Proxy;
        var before = proxy.HeldUp;
        proxy.Stall();
        await scene.PauseAsync(6500, 7000, cancellationToken);
        var struck = proxy.HeldUp > before;
        proxy.Resume();
        return struck;
    }

    private static async Task<bool> OllamaAwayAsync(Scene scene, CancellationToken cancellationToken)
    {
        // Answers on their way are cut, and what they are asked for again is refused.
        var cut = await UntilAsync(() => scene.Ollama.Stats.InFlight > 0, TimeSpan.FromSeconds(5), cancellationToken);
        await scene.StopOllamaAsync();
        await scene.PauseAsync(2000, 4000, cancellationToken);
        await scene.StartOllamaAsync();
        return cut;
    }

    private static Task<bool> ScriptAsync(Scene scene, FaultKind kind, int times, CancellationToken cancellationToken)
    {
        var use = scene.Ollama.Script(new ScriptRule { Times = times, Fault = new DoubleFault { Kind = kind, After = 3, Delay = TimeSpan.FromSeconds(6) } });
        return UntilAsync(() => use.Times > 0, TimeSpan.FromSeconds(8), cancellationToken);
    }

    private static async Task<bool> UntilAsync(Func<bool> condition, TimeSpan patience, CancellationToken cancellationToken)
    {
        for (var begun = TimeProvider.System.GetTimestamp(); !condition();)
        {
            if (TimeProvider.System.GetElapsedTime(begun) > patience) return false;
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        }

        return true;
    }

    /// <summary>A daemon whose clock is wrong, the others' being right. Counts only if the daemon itself tells the wrong time.</summary>
    private static async Task<bool> SkewAsync(Scene scene, string offset, CancellationToken cancellationToken)
    {
        if (World.Daemon.FakeTime() is null) return false;
        var victim = scene.Any();
        await victim.EndAsync(Signals.Terminate, cancellationToken);
        victim.Start(offset);
        var took = false;
        for (var tries = 0; tries < 40 && !took; tries++)
        {
            await scene.PauseAsync(150, 150, cancellationToken);
            try
            {
                using var health = JsonDocument.Parse(await victim.Http.GetStringAsync(new Uri("health", UriKind.Relative), cancellationToken));
                var told = DateTimeOffset.Parse(health.RootElement.GetProperty("timestamp").GetString()!, CultureInfo.InvariantCulture);
                took = (told - TimeProvider.System.GetUtcNow()).Duration() > TimeSpan.FromMinutes(50);
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }
        }

        await scene.PauseAsync(3000, 4000, cancellationToken);
        await victim.EndAsync(Signals.Terminate, cancellationToken);
        victim.Start();
        return took;
    }
}

using System.Collections.Concurrent;
using System.Globalization;
using Lekhika.Chaos.World;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Doubles;
using Lekhika.Tests.Support;
using Npgsql;

namespace Lekhika.Chaos.Points;

/// <summary>
/// Crash points, enumerated: what a daemon sends to the database in a clean pass of the scenario is counted, and then it is killed at each of these
/// messages, once before the message is passed on and once before its answer is. Given less time than that takes, at every k-th point, from an offset
/// that the seed decides: over many seeds all are met.
/// </summary>
internal sealed class CrashPoints(ChaosOptions options, TextWriter output)
{
    private const int Lanes = 3;
    private const int CleanPasses = 2;
    private const int Tries = 4;
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(3);
    private readonly ConcurrentDictionary<byte, int> _byType = new();
    private readonly List<CrashPoint> _unmet = [];
    private int _least = int.MaxValue;
    private int _met;
    private int _passes;
    private bool _ok = true;

    /// <param name="limit">How long it may take, the preparations not included; null for every point there is.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Whether nothing was broken and as many points as must be were met.</returns>
    public async Task<bool> RunAsync(TimeSpan? limit, CancellationToken cancellationToken)
    {
        await using var cluster = new PostgresCluster();
        await cluster.InitializeAsync();
        await using var ledger = await Ledger.StartAsync(seed: null);
        var fast = new OllamaDoubleOptions
        {
            Port = Ports.Take(),
            TokensPerSecond = 2000,
            ReplyTokens = Shape.ReplyTokens,
            Parallel = 4,
            LoadTime = TimeSpan.Zero,
            SwapTime = TimeSpan.Zero,
        };
        await using var ollama = await OllamaDouble.StartAsync(fast, cancellationToken);
        var folder = Directory.CreateTempSubdirectory("lekhika-points-").FullName;
        var lanes = new List<CrashLane>();
        try
        {
            for (var i = 1; i <= Lanes; i++) lanes.Add(await LaneAsync(i, cluster, ledger, ollama, folder, cancellationToken));
            await StrikeAsync(lanes, limit, cancellationToken);
        }
        finally
        {
            foreach (var lane in lanes) await lane.DisposeAsync();
            if (!_ok || options.Verbose)
            {
                foreach (var lane in lanes) lane.KeepLog(folder);
                output.WriteLine($"logs: {folder}");
            }
            else
            {
                Directory.Delete(folder, recursive: true);
            }

            NpgsqlConnection.ClearAllPools();
        }

        return _ok;
    }

    private async Task StrikeAsync(List<CrashLane> lanes, TimeSpan? limit, CancellationToken cancellationToken)
    {
        var begun = TimeProvider.System.GetTimestamp();
        var clean = (await Task.WhenAll(lanes.Select(lane => CleanAsync(lane, cancellationToken)))).SelectMany(static counts => counts).ToList();
        if (!_ok) return;

        // What every pass sends must be met; what only some do is tried. The first passes are not like the later ones: how many messages it takes depends
        // on how much goes into each, and that on what else the machine does. So a later pass that sends fewer counts too.
        var (least, most) = (clean.Min(), clean.Max());
        _least = least;
        var points = Enumerable.Range(1, most).SelectMany(static n => new[] { new CrashPoint(n, Before: true), new CrashPoint(n, Before: false) }).ToList();
        var stride = 1;
        if (limit is { } time)
        {
            // A pass with a kill takes about twice as long as a clean one.
            var each = TimeProvider.System.GetElapsedTime(begun) / CleanPasses * 2;
            stride = Math.Max(1, (int)Math.Ceiling(points.Count * each / (lanes.Count * time)));
            points = [.. points.Where((_, i) => i % stride == options.Seed % stride)];
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"crash points: {least} to {most} messages in a clean pass; killed at {(stride == 1 ? "each" : $"every {stride}th, from {options.Seed % stride}")}: {points.Count} points"));
        var random = new Random(options.Seed);
        var queue = new ConcurrentQueue<CrashPoint>(points.OrderBy(_ => random.Next()));
        // A campaign too short for its share is one that shows nothing: where the machine has become slow, it goes on until there are enough.
        var enough = Math.Max(6, points.Count / 3);
        var from = TimeProvider.System.GetTimestamp();
        await Task.WhenAll(lanes.Select(async lane =>
        {
            while (queue.TryDequeue(out var point))
            {
                if (limit is { } end && TimeProvider.System.GetElapsedTime(from) is var elapsed && elapsed > end && (_met >= enough || elapsed > end + Grace)) return;
                await MeetAsync(lane, point, cancellationToken);
            }
        }));

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"crash points: {_met} met in {_passes} passes ({string.Join(", ", _byType.OrderByDescending(static one => one.Value).Select(static one => $"{one.Value} {MessageCutter.Name(one.Key)}"))}), "
            + $"{_unmet.Count} beyond the end, {queue.Count} left for want of time; {TimeProvider.System.GetElapsedTime(begun).TotalSeconds:0} s"));
        Expect(_unmet.Where(point => point.Message <= _least).Select(static point => $"message {point.Message} never came in {Tries} passes"));

        var wanted = limit is null ? 2 * _least : enough;
        if (_met < wanted) Expect([$"{_met} crash points were met, at least {wanted} are wanted"]);
    }

    private async Task<List<int>> CleanAsync(CrashLane lane, CancellationToken cancellationToken)
    {
        var counts = new List<int>();
        for (var i = 0; i < CleanPasses; i++)
        {
            var pass = await lane.PassAsync(point: null, cancellationToken);
            Expect(pass.Problems.Select(static problem => "without a kill: " + problem));
            counts.Add(pass.Messages);
        }

        return counts;
    }

    private async Task MeetAsync(CrashLane lane, CrashPoint point, CancellationToken cancellationToken)
    {
        // How many heartbeats and polls a pass has is a matter of luck; the last messages do not come in every one.
        for (var i = 0; i == 0 || (i < Tries && point.Message <= _least); i++)
        {
            var pass = await lane.PassAsync(point, cancellationToken);
            Interlocked.Increment(ref _passes);
            var at = $"killed at message {point.Message} ({(pass.Type is { } known ? MessageCutter.Name(known) : "which never came")}), {(point.Before ? "not passed on" : "without its answer")}: ";
            Expect(pass.Problems.Select(problem => at + problem));
            if (options.Verbose) output.WriteLine(at + (pass.Problems.Count == 0 ? "well" : "BROKEN"));
            if (pass.Type is not { } type)
            {
                Lower(ref _least, pass.Messages);
                continue;
            }

            _byType.AddOrUpdate(type, 1, static (_, count) => count + 1);
            Interlocked.Increment(ref _met);
            return;
        }

        lock (_unmet) _unmet.Add(point);
    }

    private static async Task<CrashLane> LaneAsync(
        int number, PostgresCluster cluster, Ledger ledger, OllamaDouble ollama, string folder, CancellationToken cancellationToken)
    {
        var connectionString = await cluster.CreateDatabaseAsync() + ";Application Name=;Maximum Pool Size=10";
        await Campaign.MigrateAsync(cluster, connectionString, cancellationToken);
        var daemon = new World.Daemon(
            $"point-{number}", folder, cluster.Port, new NpgsqlConnectionStringBuilder(connectionString).Database!,
            ollama.BaseAddress.ToString().TrimEnd('/'), new Uri(ledger.Url).Authority);
        var lane = new CrashLane(connectionString, daemon, ledger);
        await lane.PrepareAsync(cancellationToken);
        return lane;
    }

    private static void Lower(ref int least, int count)
    {
        for (var known = least; count < known;)
        {
            var before = Interlocked.CompareExchange(ref least, count, known);
            if (before == known) return;
            known = before;
        }
    }

    private void Expect(IEnumerable<string> problems)
    {
        foreach (var problem in problems)
        {
            _ok = false;
            lock (output) output.WriteLine("BROKEN: " + problem);
        }
    }
}

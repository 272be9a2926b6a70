using System.Diagnostics;
using System.Diagnostics.Metrics;
using Lekhika.Daemon.Dispatch;
using Lekhika.Inference.Lanes;

namespace Lekhika.Daemon.Diagnostics.Metrics;

/// <summary>How the daemon stands at the moment somebody looks. Each daemon has a meter of its own for them.</summary>
internal sealed class DaemonGauges : IDisposable
{
    public const string MeterName = "Lekhika.Daemon.State";

    private readonly Func<PoolSnapshot> _lanes;

    public DaemonGauges(DaemonState state, Func<PoolSnapshot> lanes, string version, string workerId, Func<TimeSpan> uptime, Func<int> spooled)
    {
        _lanes = lanes;
        Meter = new Meter(MeterName);
        Gauge("lekhika.build.info", null, "Always 1; which build and worker this is.", () => [new(1, Tag("version", version), Tag("worker", workerId))]);
        Gauge("lekhika.uptime", "s", "Time since the daemon started.", () => [new(uptime().TotalSeconds)]);
        Gauge("process.resident.memory", "By", "Resident memory of the process.", static () => [new(Environment.WorkingSet)]);
        Gauge("process.start.time", "s", "When the process started, in Unix time.", StartTime);
        Meter.CreateObservableCounter("process.cpu", static () => Environment.CpuUsage.TotalTime.TotalSeconds, "s", "CPU time of the process.");

        Gauge("lekhika.database.up", null, "Whether the database is reachable and its schema served.", () => [new(state.DatabaseProblem is null ? 1 : 0)]);
        Gauge("lekhika.queue.ready", null, "Executions that may be claimed, at the last look at the database.", () => Known(state.Queued));
        Gauge("lekhika.queue.held", null, "Executions that any worker owns, at the last look at the database.", () => Known(state.HeldByAll));
        Gauge("lekhika.queue.parked", null, "Executions that wait for a time or an event, at the last look at the database.", () => Known(state.Parked));
        Gauge("lekhika.queue.oldest.age", "s", "How long the oldest new execution has waited to be claimed; 0 if none does.",
            () => state.Queued is null ? [] : [new((state.OldestAge ?? TimeSpan.Zero).TotalSeconds)]);
        Gauge("lekhika.executions.held", null, "Executions this daemon owns.", () => [new(state.Held)]);
        Gauge("lekhika.slots", null, "Execution slots of this daemon.", () => [new(state.Slots)]);
        Gauge("lekhika.slots.used", null, "Execution slots in use.", () => [new(state.SlotsUsed)]);
        Gauge("lekhika.spool.files", null, "Results in the state directory that could not be written to the database yet.", () => [new(spooled())]);
        Gauge("lekhika.event.streams", null, "Event streams that are open.", () => [new(state.EventStreams)]);

        Gauge("lekhika.endpoint.up", null, "Whether a model endpoint answered at the last look.",
            () => state.Endpoints.Select(static endpoint => new Measurement<double>(endpoint.Reachable ? 1 : 0, Tag("endpoint", endpoint.Name))));
        Gauge("lekhika.lane.depth", null, "Model calls that wait in a lane.", () => Lanes(static lanes => lanes.Sum(static lane => lane.Depth)));
        Gauge("lekhika.lane.in.flight", null, "Model calls of a lane that are being answered.", () => Lanes(static lanes => lanes.Sum(static lane => lane.InFlight)));
        Gauge("lekhika.lane.oldest.age", "s", "How long the oldest call of a lane has waited.", () => Lanes(static lanes => lanes.Max(static lane => lane.OldestAge.TotalSeconds)));
        Meter.CreateObservableCounter("lekhika.lane.swaps", () => Lanes(static lanes => lanes.Sum(static lane => lane.Swaps)), null, "Turns of a lane that pushed another model out.");
    }

    /// <summary>Their meter.</summary>
    public Meter Meter { get; }

    public void Dispose() => Meter.Dispose();

    // Lanes that differ in runner options only are told as one.
    private IEnumerable<Measurement<double>> Lanes(Func<IEnumerable<LaneSnapshot>, double> value) =>
        from endpoint in _lanes().Endpoints
        from lane in endpoint.Lanes.GroupBy(static lane => lane.Model, StringComparer.Ordinal)
        select new Measurement<double>(value(lane), Tag("endpoint", endpoint.Name), Tag("model", lane.Key));

    private void Gauge(string name, string? unit, string description, Func<IEnumerable<Measurement<double>>> observe) =>
        Meter.CreateObservableGauge(name, observe, unit, description);

    private static IEnumerable<Measurement<double>> Known(long? value) => value is { } number ? [new(number)] : [];

    private static IEnumerable<Measurement<double>> StartTime()
    {
        using var process = Process.GetCurrentProcess();
        return [new(new DateTimeOffset(process.StartTime).ToUnixTimeMilliseconds() / 1000.0)];
    }

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}

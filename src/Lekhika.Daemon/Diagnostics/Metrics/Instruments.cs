using System.Diagnostics.Metrics;
using Lekhika.Inference;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Diagnostics.Metrics;

// Measurements go one way, whoever reads them:
//
//   Instruments (what happens)  ─┐
//   DaemonGauges (how it stands) ─┴─► MetricStore ─► GET /metrics        and, if telemetry is configured, OpenTelemetry's SDK ─► collector
//
// An instrument's name has dots and its unit beside it, as OpenTelemetry wants; the exposition makes Prometheus' names of them
// (lekhika.node.duration in s is lekhika_node_duration_seconds). Labels hold only what the operator or this program chose: node types of the
// catalogue, models that an endpoint has answered with, routes as they are mapped; never what a workflow or a client made up. MetricStore bounds
// their number all the same.

/// <summary>What is counted and measured as it happens. One set a process; nothing is allocated while nobody listens.</summary>
internal static class Instruments
{
    public const string MeterName = "Lekhika.Daemon";

    private static readonly Meter Meter = new(MeterName);

    private static readonly InstrumentAdvice<double> Long = new() { HistogramBucketBoundaries = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200] };
    private static readonly InstrumentAdvice<double> Short = new() { HistogramBucketBoundaries = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10] };

    private static readonly Counter<long> Claims = Meter.CreateCounter<long>(
        "lekhika.claims", null, "Executions claimed by this daemon, from the queue or with their submission.");

    private static readonly Counter<long> Rescues = Meter.CreateCounter<long>(
        "lekhika.executions.rescued", null, "Executions taken over from workers whose lease lapsed.");

    private static readonly Counter<long> LeasesLost = Meter.CreateCounter<long>(
        "lekhika.leases.lost", null, "Incarnations of this daemon that were revoked because their lease lapsed.");

    private static readonly Counter<long> Reconciled = Meter.CreateCounter<long>(
        "lekhika.executions.reconciled", null, "Executions found without a place in the queue and given one.");

    private static readonly Counter<long> Finished = Meter.CreateCounter<long>(
        "lekhika.executions.finished", null, "Executions that ended here, by status.");

    private static readonly Histogram<double> Durations = Meter.CreateHistogram(
        "lekhika.execution.duration", "s", "Time from an execution's first start to its end.", tags: null, Long);

    private static readonly Histogram<double> NodeDurations = Meter.CreateHistogram(
        "lekhika.node.duration", "s", "Time of one attempt of a node, by node type and outcome.", tags: null, Long);

    private static readonly Counter<long> NodeRetries = Meter.CreateCounter<long>(
        "lekhika.node.retries", null, "Attempts that failed and are tried again, by node type.");

    private static readonly Counter<long> Tokens = Meter.CreateCounter<long>(
        "lekhika.model.tokens", null, "Tokens by the server's count, by model and direction (in, out).");

    private static readonly Histogram<double> ModelCalls = Meter.CreateHistogram(
        "lekhika.model.call.duration", "s", "Time from a model call's turn to its last byte, by model.", tags: null, Long);

    private static readonly Counter<long> Requests = Meter.CreateCounter<long>(
        "lekhika.http.requests", null, "HTTP requests answered, by method, route and status.");

    private static readonly Histogram<double> RequestDurations = Meter.CreateHistogram(
        "lekhika.http.request.duration", "s", "Time to answer an HTTP request, by route; event streams are left out.", tags: null, Short);

    public static void Claimed(int count) => Claims.Add(count);

    public static void Rescued(int count) => Rescues.Add(count);

    public static void LeaseLost() => LeasesLost.Add(1);

    public static void ReconciledPlaces(int count) => Reconciled.Add(count);

    /// <summary>An execution ended.</summary>
    public static void Ended(string status, TimeSpan duration)
    {
        var tag = Tag("status", status);
        Finished.Add(1, tag);
        Durations.Record(Seconds(duration), tag);
    }

    /// <summary>An attempt of a node was recorded.</summary>
    public static void Recorded(string nodeType, StepRecord record)
    {
        if (record.Outcome == StepOutcome.Retrying) NodeRetries.Add(1, Tag("type", nodeType));
        if (record is not { StartedAt: { } started, FinishedAt: { } finished } || record.Outcome is StepOutcome.Waiting or StepOutcome.Opened) return;
        var outcome = record.Outcome switch { StepOutcome.Succeeded => "succeeded", StepOutcome.Failed => "failed", _ => "retrying" };
        NodeDurations.Record(Seconds(finished - started), Tag("type", nodeType), Tag("outcome", outcome));
    }

    /// <summary>A model answered.</summary>
    public static void Answered(ModelReply reply)
    {
        var model = Tag("model", reply.Model);
        Tokens.Add(reply.TokensIn, model, Tag("direction", "in"));
        Tokens.Add(reply.TokensOut, model, Tag("direction", "out"));
        ModelCalls.Record(Seconds(reply.TotalTime), model);
    }

    /// <summary>An HTTP request was answered.</summary>
    /// <param name="method">The method; one that is not known is told as such.</param>
    /// <param name="route">The route's pattern; null if none matched.</param>
    /// <param name="status">The status.</param>
    /// <param name="duration">How long it took; null if that says nothing.</param>
    public static void Served(string method, string? route, int status, TimeSpan? duration)
    {
        var named = Tag("route", route ?? "none");
        Requests.Add(1, Tag("method", method), named, Tag("status", StatusText(status)));
        if (duration is { } took) RequestDurations.Record(Seconds(took), named);
    }

    private static double Seconds(TimeSpan duration) => Math.Max(0, duration.TotalSeconds);

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);

    private static string StatusText(int status) => status switch
    {
        200 => "200",
        202 => "202",
        404 => "404",
        _ => status.ToString(System.Globalization.CultureInfo.InvariantCulture),
    };
}

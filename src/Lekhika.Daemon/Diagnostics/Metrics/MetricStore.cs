using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Lekhika.Daemon.Diagnostics.Metrics;

/// <summary>Adds up what the instruments say, and writes it in the text format of Prometheus (version 0.0.4).</summary>
internal sealed class MetricStore : IDisposable
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly ConcurrentDictionary<Instrument, MetricFamily> _families = new();
    private readonly MeterListener _listener = new();
    private readonly Lock _writing = new();

    /// <param name="gauges">The meter of this daemon's gauges; that of the instruments is always listened to.</param>
    public MetricStore(Meter gauges)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (!ReferenceEquals(instrument.Meter, gauges) && instrument.Meter.Name != Instruments.MeterName) return;
            var family = _families.GetOrAdd(instrument, static found => new MetricFamily(found));
            listener.EnableMeasurementEvents(instrument, family);
        };
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, state) => ((MetricFamily)state!).Take(value, tags));
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, state) => ((MetricFamily)state!).Take(value, tags));
        _listener.Start();
    }

    /// <summary>Looks at the gauges and writes everything.</summary>
    public string Write()
    {
        var text = new StringBuilder(16 * 1024);
        lock (_writing)
        {
            foreach (var family in _families.Values)
            {
                if (family.IsObserved) family.Forget();
            }

            _listener.RecordObservableInstruments();
            foreach (var family in _families.Values.OrderBy(static family => family.Name, StringComparer.Ordinal)) Write(text, family);
        }

        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();

    private static void Write(StringBuilder text, MetricFamily family)
    {
        var series = family.Series.ToList();
        if (series.Count == 0) return;
        text.Append("# HELP ").Append(family.Name).Append(' ').Append(family.Help.Replace("\\", "\\\\", StringComparison.Ordinal)).Append('\n');
        text.Append("# TYPE ").Append(family.Name).Append(' ')
            .Append(family.Kind switch { MetricKind.Counter => "counter", MetricKind.Histogram => "histogram", _ => "gauge" }).Append('\n');
        foreach (var one in series)
        {
            var (value, count, buckets) = one.Read();
            if (family.Kind == MetricKind.Histogram) WriteHistogram(text, family, one.Labels, value, count, buckets);
            else Line(text, family.Name, one.Labels, value);
        }
    }

    private static void WriteHistogram(StringBuilder text, MetricFamily family, string labels, double sum, long count, long[] buckets)
    {
        var below = 0L;
        for (var i = 0; i < family.Bounds.Length; i++)
        {
            below += buckets[i];
            Line(text, family.Name + "_bucket", With(labels, family.Bounds[i].ToString("R", CultureInfo.InvariantCulture)), below);
        }

        Line(text, family.Name + "_bucket", With(labels, "+Inf"), count);
        Line(text, family.Name + "_sum", labels, sum);
        Line(text, family.Name + "_count", labels, count);
    }

    private static string With(string labels, string bound) => labels.Length == 0 ? $"le=\"{bound}\"" : $"{labels},le=\"{bound}\"";

    private static void Line(StringBuilder text, string name, string labels, double value)
    {
        text.Append(name);
        if (labels.Length > 0) text.Append('{').Append(labels).Append('}');
        text.Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
    }
}

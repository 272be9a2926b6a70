using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;

namespace Lekhika.Daemon.Diagnostics.Metrics;

/// <summary>How an instrument is exposed.</summary>
internal enum MetricKind
{
    Counter,
    Gauge,
    Histogram,
}

/// <summary>
/// All series of one instrument. Their number is bounded: beyond <see cref="MaxSeries"/> whatever comes is added up in one whose labels say
/// <c>other</c>, so that no mistake in the choice of labels can grow without end.
/// </summary>
internal sealed class MetricFamily
{
    public const int MaxSeries = 500;
    private readonly ConcurrentDictionary<string, MetricSeries> _series = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, MetricSeries>.AlternateLookup<ReadOnlySpan<char>> _lookup;

    public MetricFamily(Instrument instrument)
    {
        _lookup = _series.GetAlternateLookup<ReadOnlySpan<char>>();
        var type = instrument.GetType();
        Kind = type == typeof(Counter<long>) || type == typeof(ObservableCounter<long>) || type == typeof(ObservableCounter<double>) ? MetricKind.Counter
            : type == typeof(Histogram<double>) ? MetricKind.Histogram : MetricKind.Gauge;
        IsObserved = instrument.IsObservable;
        Help = instrument.Description ?? "";
        Bounds = Kind == MetricKind.Histogram && instrument is Histogram<double> { Advice.HistogramBucketBoundaries: { } bounds } ? [.. bounds] : [];
        Name = instrument.Name.Replace('.', '_') + instrument.Unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" }
            + (Kind == MetricKind.Counter ? "_total" : "");
    }

    public string Name { get; }

    public string Help { get; }

    public MetricKind Kind { get; }

    public bool IsObserved { get; }

    public double[] Bounds { get; }

    public IEnumerable<MetricSeries> Series => _series.Values.OrderBy(static series => series.Labels, StringComparer.Ordinal);

    /// <summary>What was observed at the last look is forgotten: a lane that is gone has no depth.</summary>
    public void Forget() => _series.Clear();

    public void Take(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var series = Find(tags);
        if (Kind == MetricKind.Histogram) series.Observe(value);
        else if (IsObserved) series.Set(value);
        else series.Add(value);
    }

    // The key is the values one after the other; built on the stack, so that a known series costs no allocation.
    private MetricSeries Find(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        Span<char> key = stackalloc char[256];
        var length = 0;
        foreach (var (_, value) in tags)
        {
            var text = value as string ?? "";
            if (length + text.Length + 1 > key.Length) return Make(tags, isOther: true);
            text.CopyTo(key[length..]);
            length += text.Length;
            key[length++] = '\u001f';
        }

        return _lookup.TryGetValue(key[..length], out var known) ? known
            : _series.Count >= MaxSeries ? Make(tags, isOther: true)
            : _series.GetOrAdd(new string(key[..length]), new MetricSeries(Labels(tags, isOther: false), Bounds));
    }

    private MetricSeries Make(ReadOnlySpan<KeyValuePair<string, object?>> tags, bool isOther)
    {
        var labels = Labels(tags, isOther);
        return _series.GetOrAdd("\u001e" + labels, static (_, made) => new MetricSeries(made.Labels, made.Bounds), (Labels: labels, Bounds));
    }

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags, bool isOther)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in tags)
        {
            if (text.Length > 0) text.Append(',');
            text.Append(name).Append("=\"");
            foreach (var character in isOther ? "other" : value as string ?? "")
            {
                _ = character switch
                {
                    '\\' => text.Append("\\\\"),
                    '"' => text.Append("\\\""),
                    '\n' => text.Append("\\n"),
                    _ => text.Append(character),
                };
            }

            text.Append('"');
        }

        return text.ToString();
    }
}

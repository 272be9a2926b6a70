using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Threading.Channels;

namespace Lekhika.Daemon.Live;

/// <summary>One event of an execution.</summary>
/// <param name="Id"><c>epoch.n</c>: a later owner's events follow an earlier one's.</param>
/// <param name="Name">state, node, queued, turn, text, thinking, restart, progress, end, leave.</param>
/// <param name="Data">A JSON object as UTF-8.</param>
internal sealed record LiveEvent(string Id, string Name, ReadOnlyMemory<byte> Data);

/// <summary>
/// The last events of one execution and who follows them. Not thread-safe: its owner locks. Bounded in both directions: old events are
/// forgotten, and a subscriber whose channel is full loses its stream and is told to take a snapshot. Until somebody follows, events are only
/// counted: nobody can ask for what came after an event that nobody has seen.
/// </summary>
internal sealed class EventLog(int epoch)
{
    private const int Kept = 512;
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private const int LargestDesk = 64 * 1024;

    [ThreadStatic]
    private static (ArrayBufferWriter<byte> Buffer, Utf8JsonWriter Writer)? _desk;

    private readonly Queue<LiveEvent> _recent = new();
    private readonly List<EventSubscription> _subscriptions = [];
    private int _last;
    private bool _followed;
    private bool _complete;

    /// <summary>The id of the last event, for somebody who may ask for what follows it: from now on events are kept.</summary>
    public string Mark()
    {
        _followed = true;
        return Id(_last);
    }

    /// <param name="name">Which event.</param>
    /// <param name="what">Given to <paramref name="properties"/>, so that it needs to capture nothing.</param>
    /// <param name="properties">Writes the properties of the event's object.</param>
    public void Add<T>(string name, T what, Action<Utf8JsonWriter, T> properties)
    {
        if (_complete) return;
        if (!_followed)
        {
            _last++;
            return;
        }

        var added = new LiveEvent(Id(++_last), name, Written(what, properties));
        if (_recent.Count == Kept) _recent.Dequeue();
        _recent.Enqueue(added);
        foreach (var subscription in _subscriptions) subscription.Offer(added);
    }

    public EventSubscription Subscribe(string? lastEventId)
    {
        var subscription = new EventSubscription();
        _followed = true;
        var known = Position(lastEventId);
        if (known is null)
        {
            subscription.NeedsSnapshot = true;
        }
        else
        {
            foreach (var missed in _recent.Skip(_recent.Count - (_last - known.Value))) subscription.Offer(missed);
        }

        if (_complete) subscription.Complete();
        else _subscriptions.Add(subscription);
        return subscription;
    }

    public void Remove(EventSubscription subscription) => _subscriptions.Remove(subscription);

    public void Complete()
    {
        _complete = true;
        foreach (var subscription in _subscriptions) subscription.Complete();
        _subscriptions.Clear();
    }

    /// <summary>The event's object in as many bytes as it has: hundreds of them are kept for each execution, so the room to write in is a shared one.</summary>
    private static byte[] Written<T>(T what, Action<Utf8JsonWriter, T> properties)
    {
        var (buffer, writer) = _desk ??= NewDesk();
        try
        {
            writer.WriteStartObject();
            properties(writer, what);
            writer.WriteEndObject();
            writer.Flush();
            return buffer.WrittenSpan.ToArray();
        }
        finally
        {
            if (buffer.Capacity > LargestDesk)
            {
                _desk = null;
            }
            else
            {
                buffer.ResetWrittenCount();
                writer.Reset();
            }
        }
    }

    private static (ArrayBufferWriter<byte> Buffer, Utf8JsonWriter Writer) NewDesk()
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        return (buffer, new Utf8JsonWriter(buffer, Plain));
    }

    private string Id(int number) => string.Create(CultureInfo.InvariantCulture, $"{epoch}.{number}");

    /// <summary>The number of an event if everything after it is still kept.</summary>
    private int? Position(string? id)
    {
        var dot = id?.IndexOf('.', StringComparison.Ordinal) ?? -1;
        if (dot < 1
            || !int.TryParse(id.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out var ofEpoch) || ofEpoch != epoch
            || !int.TryParse(id.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return null;
        }

        return number <= _last && _last - number <= _recent.Count ? number : null;
    }
}

/// <summary>One follower of an execution's events.</summary>
internal sealed class EventSubscription
{
    // Writer: the execution (under its lock). Reader: one HTTP response. Full: the follower is too slow, and must take a snapshot.
    private readonly Channel<LiveEvent> _events = Channel.CreateBounded<LiveEvent>(
        new BoundedChannelOptions(1024) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    /// <summary>Whether the follower has to begin (again) with a snapshot; events read before it was taken are part of it.</summary>
    public bool NeedsSnapshot { get; set; }

    public ChannelReader<LiveEvent> Events => _events.Reader;

    public void Offer(LiveEvent added)
    {
        if (!_events.Writer.TryWrite(added)) NeedsSnapshot = true;
    }

    public void Complete() => _events.Writer.TryComplete();
}

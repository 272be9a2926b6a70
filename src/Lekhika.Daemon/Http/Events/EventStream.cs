using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using Lekhika.Daemon.Http.Status;
using Lekhika.Daemon.Live;
using Lekhika.Postgres;
using Lekhika.Postgres.Executions;

namespace Lekhika.Daemon.Http.Events;

/// <summary>
/// One client that follows one execution. As long as the execution is not over, the stream goes with it:
///
///   held here ──► events from memory           ┐
///   held elsewhere ──► events of that daemon   ├─► over: `end`, and the stream ends
///   held by nobody ──► its row, once a second  ┘
///
/// Each of the three begins with a `snapshot`, unless Last-Event-ID says that nothing was missed. A client that reads slowly holds up nobody: what
/// it misses is replaced by another snapshot.
/// </summary>
internal sealed class EventStream : IAsyncDisposable
{
    private const int SendAt = 16 * 1024;
    private readonly HttpServerContext _services;
    private readonly ExecutionLookup _lookup;
    private readonly Peers _peers;
    private readonly HttpContext _context;
    private readonly Guid _id;
    private readonly StatusFields _fields;
    private readonly CancellationTokenSource _end;
    private readonly EventWriter _out;
    private Task _beat;
    private LiveExecution? _left;
    private string? _lastSeen;

    // What was shown of a run while it was held here: its row knows less, and progress never goes back.
    private (int Run, double Progress) _floor;

    public EventStream(
        HttpServerContext services, ExecutionLookup lookup, Peers peers, HttpContext context, Guid id, StatusFields fields,
        CancellationToken cancellationToken)
    {
        (_services, _lookup, _peers, _context, _id, _fields) = (services, lookup, peers, context, id, fields);
        _end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _out = new EventWriter(context.Response.BodyWriter);
        _lastSeen = context.Request.Headers["Last-Event-ID"].ToString() is { Length: > 0 } seen ? seen : null;
        _beat = NextBeat();
    }

    /// <summary>Follows the execution to its end.</summary>
    /// <param name="row">Its row if it is not held here.</param>
    public async Task RunAsync(ExecutionRow? row)
    {
        var response = _context.Response;
        response.ContentType = "text/event-stream; charset=utf-8";
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        _out.Comment("connected"u8);
        await _out.SendAsync(_end.Token);

        StatusPicture? shown = null;
        while (true)
        {
            if (_lookup.InMemory(_id) is { } live && live != _left)
            {
                if (await FollowMemoryAsync(live)) return;
                var before = live.Snapshot();
                _floor = (before.Header.Run, before.Progress);
                (_left, _lastSeen, row, shown) = (live, null, null, null);
                continue;
            }

            if (row is null)
            {
                (var isGone, row) = await RowAsync();
                if (isGone)
                {
                    await EndAsync(null, "deleted", "The execution was deleted.");
                    return;
                }
            }

            if (row is not null)
            {
                if (row.OwnerUrl is { } owner && _peers.Reaches(_context, owner))
                {
                    var followed = await FollowPeerAsync(owner);
                    if (followed == Followed.ToItsEnd) return;
                    // What that daemon told is not known here, so a picture of the whole comes next.
                    if (followed == Followed.ForAWhile) (_lastSeen, shown, row) = (null, null, null);
                    if (row is null) continue;
                }

                (var isOver, shown) = await ShowRowAsync(row, shown);
                if (isOver) return;
            }

            row = null;
            await WaitAsync(Task.Delay(_services.RowInterval, _services.Time, _end.Token));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _end.Dispose();
    }

    /// <returns>Whether the execution is over; false if it left this daemon.</returns>
    private async Task<bool> FollowMemoryAsync(LiveExecution live)
    {
        var subscription = live.Subscribe(_lastSeen);
        try
        {
            var isEnded = false;
            var covered = 0;
            while (true)
            {
                if (subscription.NeedsSnapshot)
                {
                    // Lowered before the picture is taken: what is dropped after that asks for another one.
                    subscription.NeedsSnapshot = false;
                    while (subscription.Events.TryRead(out _))
                    {
                    }

                    var snapshot = live.Snapshot();
                    covered = Number(snapshot.EventId);
                    WriteSnapshot(snapshot.EventId, _lookup.Picture(snapshot));
                    await _out.SendAsync(_end.Token);
                }

                while (!subscription.NeedsSnapshot && subscription.Events.TryRead(out var next))
                {
                    if (Number(next.Id) <= covered) continue;
                    _out.Event(next.Id, next.Name, next.Data.Span);
                    isEnded |= next.Name == "end";
                    if (_out.Pending > SendAt) await _out.SendAsync(_end.Token);
                }

                await _out.SendAsync(_end.Token);
                if (subscription.NeedsSnapshot) continue;
                if (await WaitAsync(subscription.Events.WaitToReadAsync(_end.Token).AsTask()) || subscription.NeedsSnapshot) continue;
                if (isEnded) return true;
                // The end was part of the snapshot, or it never came because the execution is somebody else's now.
                if (!live.IsOver) return false;
                var last = live.Snapshot();
                await EndAsync(last.EventId, last.Status, last.Error);
                return true;
            }
        }
        finally
        {
            live.Unsubscribe(subscription);
        }
    }

    private async Task<Followed> FollowPeerAsync(string owner)
    {
        using var response = await _peers.AskAsync(_context, owner, _end.Token, _lastSeen);
        if (response is null) return Followed.NotAtAll;
        try
        {
            var reader = PipeReader.Create(await response.Content.ReadAsStreamAsync(_end.Token));
            while (true)
            {
                // Its heartbeats come through as comments, so silence means that it is gone.
                var read = await reader.ReadAsync(_end.Token).AsTask().WaitAsync(_services.Heartbeat * 3, _services.Time, _end.Token);
                var buffer = read.Buffer;
                var last = "";
                // Whole events only: if it breaks off in the middle of one, ours go on where a new one may begin.
                while (last.Length == 0 && TryReadEvent(ref buffer, out var text))
                {
                    _out.Copy(text);
                    last = LastEvent(text);
                }

                reader.AdvanceTo(buffer.Start, buffer.End);
                await _out.SendAsync(_end.Token);
                if (last == "end") return Followed.ToItsEnd;
                if (last == "leave" || read.IsCompleted) return Followed.ForAWhile;
            }
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or TimeoutException)
        {
            return Followed.ForAWhile;
        }
    }

    private static bool TryReadEvent(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> text)
    {
        var reader = new SequenceReader<byte>(buffer);
        if (!reader.TryReadTo(out text, "\n\n"u8, advancePastDelimiter: true)) return false;
        text = buffer.Slice(0, reader.Position);
        buffer = buffer.Slice(reader.Position);
        return true;
    }

    /// <summary>The name of an event after which its sender has no more to tell; empty for others.</summary>
    private static string LastEvent(in ReadOnlySequence<byte> text)
    {
        var reader = new SequenceReader<byte>(text);
        while (reader.TryReadTo(out ReadOnlySpan<byte> line, (byte)'\n') && !line.StartsWith("data: "u8))
        {
            if (line.SequenceEqual("event: end"u8)) return "end";
            if (line.SequenceEqual("event: leave"u8)) return "leave";
        }

        return "";
    }

    /// <summary>Tells what the row says, if it says something new.</summary>
    private async Task<(bool IsOver, StatusPicture? Shown)> ShowRowAsync(ExecutionRow row, StatusPicture? shown)
    {
        if (shown is not null && shown.Status == row.Status && shown.Run == row.Run && shown.CurrentNodeId == row.CurrentNodeId) return (false, shown);
        var picture = await PictureAsync(row);
        if (picture is null) return (false, shown);
        if (shown is null || picture.IsOver || picture.Run != shown.Run) WriteSnapshot(null, picture);
        else WriteState(picture);
        if (picture.IsOver) await EndAsync(null, picture.Status, picture.Error);
        await _out.SendAsync(_end.Token);
        return (picture.IsOver, picture);
    }

    /// <summary>The row, or that it is gone; neither if the database does not tell just now. Once begun, a stream outlives that.</summary>
    private async Task<(bool IsGone, ExecutionRow? Row)> RowAsync()
    {
        try
        {
            var row = await _lookup.RowAsync(_id, _end.Token);
            return (row is null, row);
        }
        catch (Exception exception) when (exception is DatabaseSilentException || Database.IsTransient(exception))
        {
            return (false, null);
        }
    }

    private async Task<StatusPicture?> PictureAsync(ExecutionRow row)
    {
        try
        {
            var picture = await _lookup.PictureAsync(row, _end.Token);
            return picture.Run == _floor.Run ? picture with { Progress = Math.Max(picture.Progress, _floor.Progress) } : picture;
        }
        catch (Exception exception) when (exception is DatabaseSilentException || Database.IsTransient(exception))
        {
            return null;
        }
    }

    private void WriteSnapshot(string? id, StatusPicture picture) =>
        _out.Event(id, "snapshot", writer => StatusWriter.WriteAll(writer, picture, _fields));

    private void WriteState(StatusPicture picture) => _out.Event(null, "state", writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("status"u8, picture.Status);
        writer.WriteNumber("progress"u8, Math.Round(picture.Progress, 1));
        if (picture.CurrentNodeId is { } node) writer.WriteString("currentNodeId"u8, node);
        if (picture.WaitingFor is { } waiting) writer.WriteRaw("waiting_for"u8, waiting);
        writer.WriteEndObject();
    });

    private ValueTask EndAsync(string? id, string status, string? error)
    {
        _out.Event(id, "end", writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("status"u8, status);
            if (error is not null) writer.WriteString("error"u8, error);
            writer.WriteEndObject();
        });
        return _out.SendAsync(_end.Token);
    }

    /// <summary>Waits and shows meanwhile that the stream lives.</summary>
    private async Task WaitAsync(Task wait)
    {
        while (await Task.WhenAny(wait, _beat) == _beat)
        {
            await _beat;
            _beat = NextBeat();
            _out.Comment("heartbeat"u8);
            await _out.SendAsync(_end.Token);
        }

        await wait;
    }

    private async Task<T> WaitAsync<T>(Task<T> wait)
    {
        await WaitAsync((Task)wait);
        return await wait;
    }

    private Task NextBeat() => Task.Delay(_services.Heartbeat, _services.Time, _end.Token);

    private static int Number(string? id)
    {
        var dot = id?.IndexOf('.', StringComparison.Ordinal) ?? -1;
        return dot >= 0 && int.TryParse(id.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
    }

    private enum Followed
    {
        NotAtAll,
        ForAWhile,
        ToItsEnd,
    }
}

namespace Lekhika.Doubles;

/// <summary>Puts lines on the wire of one streamed reply: together, one by one, or torn apart.</summary>
internal sealed class ReplyWriter(HttpContext http, string contentType, DoubleFault? fault, TimeProvider time)
{
    private const int FlushAt = 8 * 1024;
    private const int LinesTogether = 8;
    private const int TornApart = 128;
    private readonly bool _together = fault?.Kind == FaultKind.Coalesce;
    private readonly int _tear = fault?.Kind == FaultKind.Split ? Math.Max(1, fault.Bytes ?? 5) : 0;
    private int _unsent;
    private int _lines;

    /// <summary>Something was written, so the status is out of reach.</summary>
    public bool Began { get; private set; }

    public async ValueTask WriteAsync(byte[] line, bool flush, CancellationToken cancellationToken)
    {
        if (!Began)
        {
            Began = true;
            http.Response.StatusCode = 200;
            http.Response.ContentType = contentType;
        }
        if (_tear > 0)
        {
            await TearAsync(line, cancellationToken);
            return;
        }
        var body = http.Response.BodyWriter;
        line.CopyTo(body.GetSpan(line.Length));
        body.Advance(line.Length);
        _unsent += line.Length;
        _lines++;
        if (_together ? _lines % LinesTogether == 0 : flush || _unsent >= FlushAt)
            await FlushAsync(cancellationToken);
    }

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        _unsent = 0;
        await http.Response.BodyWriter.FlushAsync(cancellationToken);
    }

    /// <summary>Gives the transport the time to send what was flushed, before the connection is broken.</summary>
    public async ValueTask DrainAsync(CancellationToken cancellationToken)
    {
        if (!Began)
            return;
        await FlushAsync(cancellationToken);
        await Task.Delay(TimeSpan.FromMilliseconds(30), time, cancellationToken);
    }

    private async ValueTask TearAsync(byte[] line, CancellationToken cancellationToken)
    {
        for (var at = 0; at < line.Length; at += _tear)
        {
            await http.Response.Body.WriteAsync(line.AsMemory(at, Math.Min(_tear, line.Length - at)), cancellationToken);
            await http.Response.Body.FlushAsync(cancellationToken);
            // A moment between the writes, or the transport joins them again.
            if (at / _tear < TornApart)
                await Task.Delay(fault?.Delay ?? TimeSpan.FromMilliseconds(1), time, cancellationToken);
        }
    }
}

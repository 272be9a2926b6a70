using System.Globalization;
using System.Threading.Channels;

namespace Lekhika.Daemon.Diagnostics;

/// <summary>Where formatted log lines go.</summary>
internal interface ILineSink : IDisposable
{
    /// <summary>Takes a line, its end included. Never blocks for long, never throws.</summary>
    /// <param name="line">The line.</param>
    /// <param name="mayDrop">Whether it may be left out when the reader of the log does not keep up.</param>
    void Write(string line, bool mayDrop);
}

/// <summary>
/// Writes log lines in a task of its own, as many at a time as have gathered: a thousand executions a second do not cost as many system calls, and a
/// reader that stalls (a full pipe, a journal that hangs) stops no execution. What does not fit is counted and said once there is room again;
/// warnings and errors wait a moment for room before they are left out.
/// </summary>
internal sealed class LineQueue : ILineSink
{
    private const int Capacity = 8192;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    // Writers: whoever logs. Reader: WriteAsync. A full one drops (see above).
    private readonly Channel<string> _lines = Channel.CreateBounded<string>(
        new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    private readonly TextWriter _output;
    private readonly Task _writing;
    private long _dropped;

    public LineQueue(TextWriter output)
    {
        _output = output;
        _writing = Task.Run(WriteAsync);
    }

    public void Write(string line, bool mayDrop)
    {
        if (_lines.Writer.TryWrite(line)) return;
        if (!mayDrop && SpinWait.SpinUntil(() => _lines.Writer.TryWrite(line), Patience)) return;
        Interlocked.Increment(ref _dropped);
    }

    /// <summary>Writes what is queued, as long as its reader takes it.</summary>
    public void Dispose()
    {
        _lines.Writer.TryComplete();
        _writing.Wait(Patience);
    }

    private async Task WriteAsync()
    {
        while (await _lines.Reader.WaitToReadAsync())
        {
            try
            {
                while (_lines.Reader.TryRead(out var line)) _output.Write(line);
                if (Interlocked.Exchange(ref _dropped, 0) is > 0 and var dropped)
                {
                    _output.Write(string.Create(CultureInfo.InvariantCulture, $"({dropped} log lines were left out: the reader of the log did not keep up)\n"));
                }

                _output.Flush();
            }
            catch (IOException)
            {
                // The reader went away (a closed pipe). There is nowhere left to say so, and the work must go on.
            }
        }
    }
}

using System.Buffers;
using System.IO.Pipelines;

namespace Lekhika.Inference.Endpoints;

/// <summary>
/// Cuts a byte stream into lines, wherever the pieces of the transport begin and end. A line that lies in one piece is not copied; what has been
/// searched for a line end is not searched again. A last line without a line end counts.
/// </summary>
internal sealed class LineReader(PipeReader reader, int maxLineBytes) : IDisposable
{
    private static readonly StreamPipeReaderOptions PipeOptions = new(bufferSize: 16 * 1024, minimumReadSize: 4 * 1024);

    private ReadOnlySequence<byte> _rest;
    private byte[]? _joined;
    private long _searched;
    private bool _reading;
    private bool _ended;

    /// <summary>Hands the lines of a reply to its consumer, in the reader's own turn: no queue, no task for each line.</summary>
    public static async Task PumpAsync(Stream stream, ILineConsumer consumer, int maxLineBytes, CallClock clock)
    {
        var pipe = PipeReader.Create(stream, PipeOptions);
        using var lines = new LineReader(pipe, maxLineBytes);
        try
        {
            while (!consumer.Done && await lines.FillAsync(clock.Token))
            {
                clock.Heard();
                while (!consumer.Done && lines.TryRead(out var line))
                    consumer.Read(line);
            }
        }
        finally
        {
            await pipe.CompleteAsync();
        }
    }

    /// <summary>Waits for more bytes; false at the end of the stream.</summary>
    public async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_ended)
            return false;
        if (_reading)
            reader.AdvanceTo(_rest.Start, _rest.End);
        _reading = false;
        var result = await reader.ReadAsync(cancellationToken);
        _rest = result.Buffer;
        _reading = true;
        _ended = result.IsCompleted;
        return true;
    }

    /// <summary>The next whole line, without its end; valid until the next call.</summary>
    /// <exception cref="LineTooLongException">The line is longer than allowed.</exception>
    public bool TryRead(out ReadOnlySpan<byte> line)
    {
        var end = _rest.Slice(_searched).PositionOf((byte)'\n');
        if (end is { } position)
        {
            line = Join(_rest.Slice(0, position));
            _rest = _rest.Slice(_rest.GetPosition(1, position));
            _searched = 0;
            return true;
        }

        _searched = _rest.Length;
        if (_searched > maxLineBytes)
            throw new LineTooLongException(maxLineBytes);
        if (!_ended || _rest.IsEmpty)
        {
            line = default;
            return false;
        }

        line = Join(_rest);
        _rest = default;
        _searched = 0;
        return true;
    }

    public void Dispose()
    {
        if (_joined is { } joined)
            ArrayPool<byte>.Shared.Return(joined);
        _joined = null;
    }

    private ReadOnlySpan<byte> Join(ReadOnlySequence<byte> bytes)
    {
        if (bytes.Length > maxLineBytes)
            throw new LineTooLongException(maxLineBytes);
        ReadOnlySpan<byte> line;
        if (bytes.IsSingleSegment)
            line = bytes.FirstSpan;
        else
        {
            var length = (int)bytes.Length;
            if (_joined is null || _joined.Length < length)
            {
                Dispose();
                _joined = ArrayPool<byte>.Shared.Rent(length);
            }

            bytes.CopyTo(_joined);
            line = _joined.AsSpan(0, length);
        }

        return line is [.. var head, (byte)'\r'] ? head : line;
    }
}

/// <summary>What takes in the lines of a reply until it has them all.</summary>
internal interface ILineConsumer
{
    /// <summary>The last line has come; what follows is of no interest.</summary>
    bool Done { get; }

    /// <summary>Takes in a line; the bytes are valid only during the call.</summary>
    void Read(ReadOnlySpan<byte> line);
}

/// <summary>A line of a stream is longer than is allowed.</summary>
internal sealed class LineTooLongException(int limit) : Exception($"a line of the reply is longer than {limit} bytes");

using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;

namespace Lekhika.Daemon.Http.Events;

/// <summary>Writes the text/event-stream format.</summary>
internal sealed class EventWriter(PipeWriter pipe)
{
    private static readonly SearchValues<byte> LineBreaks = SearchValues.Create("\r\n"u8);

    /// <summary>What has been written and not sent.</summary>
    public long Pending => pipe.UnflushedBytes;

    public void Comment(ReadOnlySpan<byte> text)
    {
        pipe.Write(": "u8);
        pipe.Write(text);
        pipe.Write("\n\n"u8);
    }

    /// <param name="id">Null keeps the id that the client saw last.</param>
    /// <param name="name">Name of the event.</param>
    /// <param name="data">JSON; breaks of line between its tokens are fine.</param>
    public void Event(string? id, string name, ReadOnlySpan<byte> data)
    {
        if (id is not null) Line("id: "u8, id);
        Line("event: "u8, name);
        while (true)
        {
            var at = data.IndexOfAny(LineBreaks);
            pipe.Write("data: "u8);
            pipe.Write(at < 0 ? data : data[..at]);
            pipe.Write("\n"u8);
            if (at < 0) break;
            data = data[(at + 1)..];
        }

        pipe.Write("\n"u8);
    }

    public void Event(string? id, string name, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer, JsonReply.WriterOptions)) write(writer);
        Event(id, name, buffer.WrittenSpan);
    }

    /// <summary>An event as another daemon wrote it, its blank line included.</summary>
    public void Copy(in ReadOnlySequence<byte> text)
    {
        foreach (var part in text) pipe.Write(part.Span);
    }

    /// <exception cref="OperationCanceledException">The client has gone.</exception>
    public async ValueTask SendAsync(CancellationToken cancellationToken)
    {
        var result = await pipe.FlushAsync(cancellationToken);
        if (result.IsCompleted) throw new OperationCanceledException("the client has gone");
    }

    private void Line(ReadOnlySpan<byte> field, string value)
    {
        pipe.Write(field);
        Encoding.UTF8.GetBytes(value, pipe);
        pipe.Write("\n"u8);
    }
}

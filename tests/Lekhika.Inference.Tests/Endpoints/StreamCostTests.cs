using System.Diagnostics;
using System.Text;
using Lekhika.Inference.Endpoints;
using Lekhika.Inference.Ollama;
using Lekhika.Inference.Tests.Ollama;
using Lekhika.Inference.Tests.Support;
using Xunit;

namespace Lekhika.Inference.Tests.Endpoints;

/// <summary>What reading adds to a stream.</summary>
public sealed class StreamCostTests
{
    private const int Pieces = 20_000;

    [Fact]
    public async Task A_piece_costs_its_string_and_a_few_microseconds()
    {
        var line = Encoding.UTF8.GetBytes(OllamaCalls.Line(" token") + "\n");
        var bytes = new byte[line.Length * Pieces];
        for (var i = 0; i < Pieces; i++)
            line.CopyTo(bytes, i * line.Length);

        await ReadAsync(bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var began = Stopwatch.GetTimestamp();
        var count = await ReadAsync(bytes);
        var took = Stopwatch.GetElapsedTime(began);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(Pieces, count);
        Assert.True(allocated / Pieces < 120, $"{allocated / Pieces} bytes for each piece");
        Assert.True(took / Pieces < TimeSpan.FromMilliseconds(0.2), $"{took / Pieces} for each piece");
        TestContext.Current.TestOutputHelper?.WriteLine($"{took.TotalMicroseconds / Pieces:0.00} µs and {allocated / Pieces} bytes for each piece");
    }

    [Fact]
    public async Task A_long_line_in_small_pieces_is_not_searched_again_and_again()
    {
        var text = new string('x', 4 * 1024 * 1024);
        var bytes = Encoding.UTF8.GetBytes(OllamaCalls.Line(text) + "\n");
        var began = Stopwatch.GetTimestamp();
        using var stream = new Trickle(bytes, 1400);
        using var clock = new CallClock(TimeProvider.System, new ModelTimeouts(), TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        var reply = new OllamaReply(Requests.For(), new Counter(), int.MaxValue, "e");

        await LineReader.PumpAsync(stream, reply, 8 * 1024 * 1024, clock);

        Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(5));
    }

    private static async Task<int> ReadAsync(byte[] bytes)
    {
        var sink = new Counter();
        using var stream = new Trickle(bytes, 1400);
        using var clock = new CallClock(TimeProvider.System, new ModelTimeouts(), TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        await LineReader.PumpAsync(stream, new OllamaReply(Requests.For(), sink, int.MaxValue, "e"), 8 * 1024 * 1024, clock);
        return sink.Count;
    }

    private sealed class Counter : IModelSink
    {
        public int Count { get; private set; }

        public void Queued(int position)
        {
        }

        public void Started(string endpoint, int attempt)
        {
        }

        public void Text(string piece) => Count++;

        public void Thinking(string piece)
        {
        }

        public void Restarted(string reason)
        {
        }
    }

    // As from a network: never more than a packet at once.
    private sealed class Trickle(byte[] bytes, int size) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(size, buffer.Length)], cancellationToken);
    }
}

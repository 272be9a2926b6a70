using System.Text;
using Lekhika.Daemon.Diagnostics;
using Xunit;

namespace Lekhika.Daemon.Tests.Diagnostics;

public sealed class LineQueueTests
{
    [Fact]
    public void Everything_is_written_in_order_by_the_end()
    {
        var output = new StringWriter();
        using (var queue = new LineQueue(output))
        {
            for (var i = 0; i < 5000; i++) queue.Write($"{i}\n", mayDrop: true);
        }

        Assert.Equal(Enumerable.Range(0, 5000).Select(static i => $"{i}"), output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void A_reader_that_stalls_blocks_nobody_and_is_told_how_much_it_missed()
    {
        using var stalled = new StalledWriter();
        using (var queue = new LineQueue(stalled))
        {
            for (var i = 0; i < 20_000; i++) queue.Write($"{i}\n", mayDrop: true);
            stalled.Release();
        }

        var lines = stalled.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var missed = int.Parse(lines.Single(static line => line[0] == '(')[1..].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(20_000, missed + lines.Length - 1);
    }

    private sealed class StalledWriter : TextWriter
    {
        private readonly ManualResetEventSlim _released = new();
        private readonly StringBuilder _text = new();

        public override Encoding Encoding => Encoding.UTF8;

        public string Text => _text.ToString();

        public void Release() => _released.Set();

        public override void Write(string? value)
        {
            _released.Wait(TestContext.Current.CancellationToken);
            _text.Append(value);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing) _released.Dispose();
            base.Dispose(disposing);
        }
    }
}

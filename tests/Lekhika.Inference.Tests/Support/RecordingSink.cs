using System.Collections.Concurrent;

namespace Lekhika.Inference.Tests.Support;

/// <summary>Writes down what it is told, and lets a test wait for it.</summary>
public sealed class RecordingSink : IModelSink
{
    private readonly ConcurrentQueue<string> _told = new();
    private TaskCompletionSource _news = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyList<string> Told => [.. _told];

    public string Pieces => string.Concat(_told.Where(line => line.StartsWith("text ", StringComparison.Ordinal)).Select(line => line[5..]));

    /// <summary>What a request waits for once its turn has come.</summary>
    public Task MayBegin { get; init; } = Task.CompletedTask;

    public ValueTask MayBeginAsync(CancellationToken cancellationToken) => new(MayBegin.WaitAsync(cancellationToken));

    public void Queued(int position) => Tell($"queued {position}");

    public void Started(string endpoint, int attempt) => Tell($"started {endpoint} {attempt}");

    public void Text(string piece) => Tell($"text {piece}");

    public void Thinking(string piece) => Tell($"thinking {piece}");

    public void Restarted(string reason) => Tell($"restarted {reason}");

    /// <summary>Waits until a line that begins so has been told.</summary>
    public async Task WaitForAsync(string start, CancellationToken cancellationToken)
    {
        while (true)
        {
            var news = Volatile.Read(ref _news).Task;
            if (_told.Any(line => line.StartsWith(start, StringComparison.Ordinal)))
                return;
            await news.WaitAsync(TimeSpan.FromSeconds(20), cancellationToken);
        }
    }

    private void Tell(string line)
    {
        _told.Enqueue(line);
        Interlocked.Exchange(ref _news, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
    }
}

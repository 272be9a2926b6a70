using System.Collections.Concurrent;

namespace Lekhika.Doubles;

/// <summary>Counts what happens. Every counter is safe to touch from any request.</summary>
internal sealed class StatsRecorder
{
    private const int Kept = 1000;
    private const int BodyKept = 64 * 1024;
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, long> _byPath = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _byModel = new(StringComparer.Ordinal);
    private readonly Queue<SeenRequest> _seen = new();
    private readonly Level _inFlight = new();
    private readonly Level _generating = new();
    private readonly Level _waiting = new();
    private long _requests, _completions, _completed, _cancellations, _errors, _faults, _rejected, _loads, _swaps, _evictions, _unloads, _tokens;

    public Level InFlight => _inFlight;

    public Level Generating => _generating;

    public Level Waiting => _waiting;

    public void Request(string method, string path)
    {
        Interlocked.Increment(ref _requests);
        _byPath.AddOrUpdate($"{method} {path}", 1, static (_, count) => count + 1);
    }

    public void Completion(string method, string path, string model, string body)
    {
        var number = Interlocked.Increment(ref _completions);
        _byModel.AddOrUpdate(model, 1, static (_, count) => count + 1);
        var seen = new SeenRequest(number, method, path, model, body.Length <= BodyKept ? body : body[..BodyKept]);
        lock (_gate)
        {
            _seen.Enqueue(seen);
            if (_seen.Count > Kept)
                _seen.Dequeue();
        }
    }

    public void Completed(int tokens)
    {
        Interlocked.Increment(ref _completed);
        Interlocked.Add(ref _tokens, tokens);
    }

    public void Cancelled() => Interlocked.Increment(ref _cancellations);

    public void Error() => Interlocked.Increment(ref _errors);

    public void Fault() => Interlocked.Increment(ref _faults);

    public void Rejected() => Interlocked.Increment(ref _rejected);

    public void Loaded(bool swap)
    {
        Interlocked.Increment(ref _loads);
        if (swap)
            Interlocked.Increment(ref _swaps);
    }

    public void Evicted() => Interlocked.Increment(ref _evictions);

    public void Unloaded() => Interlocked.Increment(ref _unloads);

    public DoubleStats Snapshot()
    {
        SeenRequest[] seen;
        lock (_gate)
            seen = [.. _seen];
        return new DoubleStats
        {
            Requests = Interlocked.Read(ref _requests),
            Completions = Interlocked.Read(ref _completions),
            Completed = Interlocked.Read(ref _completed),
            Cancellations = Interlocked.Read(ref _cancellations),
            Errors = Interlocked.Read(ref _errors),
            Faults = Interlocked.Read(ref _faults),
            Rejected = Interlocked.Read(ref _rejected),
            Loads = Interlocked.Read(ref _loads),
            Swaps = Interlocked.Read(ref _swaps),
            Evictions = Interlocked.Read(ref _evictions),
            Unloads = Interlocked.Read(ref _unloads),
            Tokens = Interlocked.Read(ref _tokens),
            InFlight = _inFlight.Now,
            InFlightMax = _inFlight.Most,
            Generating = _generating.Now,
            GeneratingMax = _generating.Most,
            Waiting = _waiting.Now,
            WaitingMax = _waiting.Most,
            ByPath = new Dictionary<string, long>(_byPath, StringComparer.Ordinal),
            ByModel = new Dictionary<string, long>(_byModel, StringComparer.Ordinal),
            Seen = seen,
        };
    }

    public void Reset()
    {
        _requests = _completions = _completed = _cancellations = _errors = _faults = _rejected = _loads = _swaps = _evictions = _unloads = _tokens = 0;
        _byPath.Clear();
        _byModel.Clear();
        lock (_gate)
            _seen.Clear();
        _inFlight.ForgetMost();
        _generating.ForgetMost();
        _waiting.ForgetMost();
    }

    /// <summary>How many are in something now, and the most there ever were.</summary>
    internal sealed class Level
    {
        private readonly Lock _gate = new();

        public int Now { get; private set; }

        public int Most { get; private set; }

        public void Enter()
        {
            lock (_gate)
                Most = Math.Max(Most, ++Now);
        }

        public void Leave()
        {
            lock (_gate)
                Now--;
        }

        public void ForgetMost()
        {
            lock (_gate)
                Most = Now;
        }
    }
}

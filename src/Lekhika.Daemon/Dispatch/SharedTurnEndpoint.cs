using Lekhika.Inference.Lanes;
using Lekhika.Postgres.Queue;

namespace Lekhika.Daemon.Dispatch;

/// <summary>What this daemon has and wants at one model server, and the task that asks for it.</summary>
/// <param name="name">What all daemons call the server.</param>
/// <param name="ask">Asks for turns; never throws, and answers null when the database did not.</param>
/// <param name="time">For the pauses.</param>
internal sealed class SharedTurnEndpoint(
    string name, Func<SharedTurnEndpoint, int, string[], string[], Task<ModelTurnReply?>> ask, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly List<Lease> _has = [];
    private readonly List<Waiter> _wants = [];
    private readonly WakeSignal _wake = new(time);
    private int _places = 1;
    private bool _running;
    private volatile bool _alone;

    // The database may have something written down of this daemon.
    private bool _isKnown;
    private long? _asked;

    public string Name => name;

    /// <summary>The last question was not answered; kept for the log.</summary>
    public bool Failing { get; set; }

    public async Task<ILaneLease> EnterAsync(int places, string model, CancellationToken cancellationToken)
    {
        var waiter = new Waiter(model);
        lock (_lock)
        {
            _places = places;
            _wants.Add(waiter);
            if (!_running)
            {
                _running = true;
                _ = Task.Run(RunAsync, CancellationToken.None);
            }
        }

        _wake.Set();
        try
        {
            return await waiter.Granted.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            lock (_lock)
            {
                _wants.Remove(waiter);
                if (waiter.Granted.Task.IsCompletedSuccessfully) _has.RemoveAll(lease => lease.Waiter == waiter);
            }

            throw;
        }
    }

    private async Task RunAsync()
    {
        while (true)
        {
            if (_asked is { } asked && Interval - time.GetElapsedTime(asked) is var rest && rest > TimeSpan.Zero)
                await Task.Delay(rest, time, CancellationToken.None);
            int places;
            string[] has, wants;
            lock (_lock)
            {
                if (_has.Count == 0 && _wants.Count == 0 && !_isKnown)
                {
                    _running = false;
                    return;
                }

                places = _places;
                has = [.. _has.Select(static lease => lease.Model).Distinct(StringComparer.Ordinal)];
                wants = [.. _wants.Select(static waiter => waiter.Model).Distinct(StringComparer.Ordinal).Except(has, StringComparer.Ordinal)];
            }

            _asked = time.GetTimestamp();
            var reply = await ask(this, places, has, wants);
            Take(reply, wants.Length > 0 || has.Length > 0);
            bool waits;
            lock (_lock) waits = _wants.Count > 0;
            // While all is quiet a look each second is enough; somebody who comes meanwhile is served at once, if the second is over.
            if (!waits) await _wake.WaitAsync(Interval, CancellationToken.None);
        }
    }

    private void Take(ModelTurnReply? reply, bool saidSomething)
    {
        List<Lease> contested;
        _alone = reply is { Alone: true };
        lock (_lock)
        {
            // A question without an answer may have been heard all the same. Nothing said, and answered, leaves nothing to undo.
            _isKnown = reply is null || (saidSomething && (!reply.Alone || _isKnown));
            var mine = _has.Select(static lease => lease.Model).ToHashSet(StringComparer.Ordinal);
            foreach (var waiter in _wants.Where(waiter => reply is null || reply.Granted.Contains(waiter.Model) || mine.Contains(waiter.Model)).ToList())
            {
                _wants.Remove(waiter);
                var lease = new Lease(this, waiter);
                _has.Add(lease);
                waiter.Granted.SetResult(lease);
            }

            contested = reply is null ? [] : [.. _has.Where(lease => reply.Contested.Contains(lease.Model))];
        }

        foreach (var lease in contested) lease.Contest();
    }

    private void GiveBack(Lease lease)
    {
        lock (_lock) _has.Remove(lease);
        _wake.Set();
    }

    private sealed class Waiter(string model)
    {
        public string Model => model;

        public TaskCompletionSource<ILaneLease> Granted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Lease(SharedTurnEndpoint endpoint, Waiter waiter) : ILaneLease
    {
        // Not disposed: nothing of it needs that, and it may be cancelled late.
        private readonly CancellationTokenSource _wanted = new();

        public string Model => waiter.Model;

        public Waiter Waiter => waiter;

        public CancellationToken Wanted => _wanted.Token;

        public bool IsAlone => endpoint._alone;

        public void Contest() => _wanted.Cancel();

        public ValueTask DisposeAsync()
        {
            endpoint.GiveBack(this);
            return ValueTask.CompletedTask;
        }
    }
}

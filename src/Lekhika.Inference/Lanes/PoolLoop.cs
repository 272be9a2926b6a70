using System.Collections.Immutable;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Lekhika.Inference.Lanes;

// One loop owns routes, lanes and health; everything else talks to it through a bounded channel, so nothing in it is locked. It never waits for
// anything but its channel: what takes time (reading lists of models, asking for a shared turn) runs beside it and reports back as an event.
// Tokens never pass through here: a request that has its turn is read in its caller's own task.

/// <summary>The single owner of the pool's state.</summary>
internal sealed partial class PoolLoop : IAsyncDisposable
{
    private const int BatchSize = 256;

    private static readonly TimeSpan LongestSleep = TimeSpan.FromHours(1);
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(5);

    private readonly Channel<PoolEvent> _events = Channel.CreateBounded<PoolEvent>(
        new BoundedChannelOptions(1024) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    private readonly TimeProvider _time;
    private readonly long _epoch;
    private readonly ILogger _logger;
    private readonly ILaneTurn? _turn;
    private readonly Func<ModelEndpointOptions, ModelPoolOptions, Endpoints.IModelProvider> _connect;
    private readonly PoolRouter _router;
    private readonly List<PoolEndpoint> _retired = [];
    private readonly List<Task> _beside = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly ITimer _timer;
    private readonly Task _loop;
    private PoolSnapshot _snapshot;
    private ImmutableArray<PoolEndpoint> _endpoints;

    public PoolLoop(
        ModelPoolOptions options,
        TimeProvider time,
        ILogger logger,
        ILaneTurn? turn,
        Func<ModelEndpointOptions, ModelPoolOptions, Endpoints.IModelProvider> connect)
    {
        _time = time;
        _epoch = time.GetTimestamp();
        Stopping = _stop.Token;
        _logger = logger;
        _turn = turn;
        _connect = connect;
        _router = new PoolRouter(options, [.. options.Endpoints.Select(endpoint => Connect(endpoint, options))]);
        _endpoints = [.. _router.Endpoints];
        _snapshot = PoolPicture.Of(_router);
        _timer = time.CreateTimer(
            static state => ((PoolLoop)state!)._events.Writer.TryWrite(PoolEvent.Tick.Instance), this, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        _loop = Task.Run(RunAsync);
    }

    /// <summary>The time on the pool's clock.</summary>
    public TimeSpan Now => _time.GetElapsedTime(_epoch);

    /// <summary>Cancelled when the pool stops.</summary>
    public CancellationToken Stopping { get; }

    /// <summary>The endpoints of now.</summary>
    public ImmutableArray<PoolEndpoint> Endpoints => _endpoints;

    /// <summary>The lanes of now.</summary>
    public PoolSnapshot Snapshot() => PoolPicture.Aged(Volatile.Read(ref _snapshot), Now);

    /// <summary>Waits for a turn.</summary>
    public async Task<PoolEndpoint> AcquireAsync(Ticket ticket, CancellationToken cancellationToken)
    {
        if (!await PostAsync(new PoolEvent.Arrived(ticket), cancellationToken))
            throw Stopped();
        try
        {
            return await ticket.Turn.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            if (ticket.TryLeave())
                await PostAsync(new PoolEvent.LeftQueue(ticket), CancellationToken.None);
            else if (ticket.WasGranted)
                await PostAsync(new PoolEvent.Ended(ticket, await ticket.Turn, null, null), CancellationToken.None);
            throw;
        }
    }

    /// <summary>Tells the loop; false if it has ended.</summary>
    public async ValueTask<bool> PostAsync(PoolEvent @event, CancellationToken cancellationToken = default)
    {
        try
        {
            await _events.Writer.WriteAsync(@event, cancellationToken);
            return true;
        }
        catch (ChannelClosedException)
        {
            return false;
        }
    }

    /// <summary>What a caller is told when the pool stops.</summary>
    public static ModelException Stopped() => new(ModelFailure.Unavailable, "Model calls are being shut down.") { Final = true };

    public async ValueTask DisposeAsync()
    {
        if (!_events.Writer.TryComplete())
            return;
        await _stop.CancelAsync();
        await _timer.DisposeAsync();
        await _loop;
        foreach (var endpoint in _router.Endpoints.Concat(_retired).ToList())
            Close(endpoint);
        await Task.WhenAll(_beside);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        var reader = _events.Reader;
        while (await reader.WaitToReadAsync())
        {
            for (var i = 0; i < BatchSize && reader.TryRead(out var @event); i++)
                Guarded(@event.GetType().Name, () => Handle(@event));
            Guarded("settling", Settle);
        }

        foreach (var ticket in _router.Endpoints.SelectMany(endpoint => endpoint.Lanes.TakeAll()).Concat(_router.Parked))
            ticket.Refuse(Stopped());
    }

    private void Guarded(string what, Action action)
    {
        try
        {
            action();
        }
        catch (Exception exception)
        {
            PoolLog.EventFailed(_logger, exception, what);
        }
    }

    private void Handle(PoolEvent @event)
    {
        var now = Now;
        switch (@event)
        {
            case PoolEvent.Arrived(var ticket):
                _router.Route(ticket, now);
                break;
            case PoolEvent.LeftQueue(var ticket):
                _router.Remove(ticket);
                break;
            case PoolEvent.Ended ended:
                End(ended, now);
                break;
            case PoolEvent.Listed(var endpoint, var models):
                if (endpoint.SetAside)
                    PoolLog.Back(_logger, endpoint.Options.Name);
                endpoint.Listed(models, now, _router.Options.CatalogueInterval);
                _router.RouteParked(now);
                break;
            case PoolEvent.Loaded(var endpoint, var models):
                endpoint.HeardLoaded(models, now);
                break;
            case PoolEvent.Unlisted(var endpoint, var problem, var again):
                if (endpoint.Problem is null)
                    PoolLog.Unlisted(_logger, endpoint.Options.Name, problem);
                endpoint.Unlisted(problem, now, again);
                _router.RouteParked(now);
                break;
            case PoolEvent.Opened(var endpoint, var pause):
                endpoint.SetAside = true;
                endpoint.AskDue = now + pause;
                endpoint.Problem ??= $"endpoint {endpoint.Options.Name} ({endpoint.Provider.Address}) failed several times";
                PoolLog.SetAside(_logger, endpoint.Options.Name, pause.TotalSeconds, endpoint.Problem);
                _router.Empty(endpoint, now);
                break;
            case PoolEvent.Entered(var lane, var lease):
                EndpointLanes.Entered(lane, lease, now);
                lease?.Wanted.UnsafeRegister(static state => ((PoolLoop)state!)._events.Writer.TryWrite(PoolEvent.Tick.Instance), this);
                break;
            case PoolEvent.Replaced(var options, var done):
                Replace(options, now);
                done.SetResult();
                break;
        }
    }

    private void End(PoolEvent.Ended ended, TimeSpan now)
    {
        var endpoint = ended.Endpoint;
        endpoint.Lanes.Finish(ended.Ticket, now, ended.Reply, ended.Failure is not null);
        if (ended.Reply is not null)
            endpoint.Took(now - ended.Ticket.StartedAt);
        if (ended.Failure is { Failure: ModelFailure.NotFound })
            endpoint.AskDue = now;
        if (ended.Failure is { EndpointFault: true } failure && endpoint.SetAside)
            endpoint.Problem = failure.Message;
        if (endpoint.Retired && endpoint.Lanes.InFlight == 0 && _retired.Remove(endpoint))
            Close(endpoint);
    }

    private void Settle()
    {
        var now = Now;
        var actions = new LaneActions(_turn is not null);
        var due = _router.Pump(now, actions);
        foreach (var endpoint in _router.Endpoints.Where(endpoint => !endpoint.Asking && endpoint.AskDue <= now))
        {
            endpoint.Asking = true;
            Beside(AskAsync(endpoint));
        }

        foreach (var endpoint in _router.Endpoints.Where(endpoint => endpoint.IsLoadedDue(now)))
        {
            endpoint.LoadedDue = TimeSpan.MaxValue;
            Beside(AskLoadedAsync(endpoint));
        }

        foreach (var ticket in actions.Preloading)
            Beside(PreloadAsync(ticket));
        foreach (var lease in actions.Leases)
            Beside(GiveBackAsync(lease));
        foreach (var lane in actions.Entering)
            Beside(EnterAsync(lane));
        TellPositions();
        Volatile.Write(ref _snapshot, PoolPicture.Of(_router));
        if (due is { } next)
        {
            // Rounded up: a timer that fires a little early would only find nothing to do.
            var wait = TimeSpan.FromMilliseconds(Math.Ceiling(Math.Max(0, (next - now).TotalMilliseconds)));
            _timer.Change(wait < LongestSleep ? wait : LongestSleep, Timeout.InfiniteTimeSpan);
        }
    }

    private void TellPositions()
    {
        foreach (var lane in _router.Endpoints.SelectMany(endpoint => endpoint.Lanes.All).Where(lane => lane.Moved))
        {
            lane.Moved = false;
            Tell(lane.Waiting);
        }

        Tell(_router.Parked);
    }

    private void Tell(IEnumerable<Ticket> waiting)
    {
        var position = 0;
        foreach (var ticket in waiting)
        {
            if (ticket.ToldPosition != position && ticket.IsWaiting)
            {
                ticket.ToldPosition = position;
                try
                {
                    ticket.Sink.Queued(position);
                }
                catch (Exception exception)
                {
                    PoolLog.SinkFailed(_logger, exception);
                }
            }

            position++;
        }
    }

    private void Close(PoolEndpoint endpoint)
    {
        foreach (var lease in endpoint.Lanes.TakeLeases())
            Beside(GiveBackAsync(lease));
        endpoint.Dispose();
    }

    private PoolEndpoint Connect(ModelEndpointOptions endpoint, ModelPoolOptions options) => new(
        endpoint, options, _connect(endpoint, options), _time, async (opened, pause) => await PostAsync(new PoolEvent.Opened(opened, pause)));

    private void Replace(ModelPoolOptions options, TimeSpan now)
    {
        var old = _router.Endpoints.ToList();
        _router.Endpoints.Clear();
        foreach (var wanted in options.Endpoints)
        {
            var kept = old.Find(endpoint => PoolReload.CanStay(endpoint.Options, wanted, _router.Options, options));
            if (kept is null)
                _router.Endpoints.Add(Connect(wanted, options));
            else
            {
                old.Remove(kept);
                kept.Options = wanted;
                kept.Lanes.Options = options.Lanes;
                _router.Endpoints.Add(kept);
            }
        }

        _router.Options = options;
        _endpoints = [.. _router.Endpoints];
        foreach (var gone in old)
        {
            gone.Retired = true;
            _router.Empty(gone, now);
            if (gone.Lanes.InFlight == 0)
                Close(gone);
            else
                _retired.Add(gone);
        }

        _router.RouteParked(now);
        PoolLog.Replaced(_logger, string.Join(", ", options.Endpoints.Select(endpoint => endpoint.Name)));
    }
}

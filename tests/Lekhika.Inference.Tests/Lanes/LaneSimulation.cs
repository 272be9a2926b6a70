using Lekhika.Inference.Lanes;
using Lekhika.Inference.Tests.Support;
using Xunit;

namespace Lekhika.Inference.Tests.Lanes;

/// <summary>
/// The lanes of one endpoint against a simulated server, in virtual time: the server holds a number of models, loads them at a cost, and each
/// request takes the time its submitter says. Checks on every step that no rule of the lanes is broken.
/// </summary>
internal sealed class LaneSimulation : IDisposable
{
    private readonly PriorityQueue<Action, (TimeSpan At, long Order)> _agenda = new();
    private readonly List<Job> _waiting = [];
    private readonly Dictionary<string, TimeSpan> _ready = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _inFlight = new(StringComparer.Ordinal);
    private readonly FakeProvider _provider = new("sim");
    private readonly PoolEndpoint _endpoint;
    private readonly TimeSpan _swap;
    private readonly int _places;
    private readonly int _parallelism;
    private long _order;
    private TimeSpan _loaderFree;

    public LaneSimulation(TimeSpan swap, int places = 1, int parallelism = 1, LaneOptions? options = null)
    {
        _swap = swap;
        _places = places;
        _parallelism = parallelism;
        var settings = new ModelEndpointOptions { Name = "sim", BaseUrl = new Uri("http://sim"), MaxLoadedModels = places, Parallelism = parallelism };
        _endpoint = new PoolEndpoint(
            settings, new ModelPoolOptions { Lanes = options ?? new() }, _provider, TimeProvider.System, (_, _) => ValueTask.CompletedTask);
    }

    public TimeSpan Now { get; private set; }

    /// <summary>When the last request ended; wake-ups that find nothing to do come after it.</summary>
    public TimeSpan Makespan => History.Max(entry => entry.Ended);

    public EndpointLanes Lanes => _endpoint.Lanes;

    /// <summary>Times the server loaded a model.</summary>
    public int Loads { get; private set; }

    public TimeSpan LoadTime { get; private set; }

    public List<(string Model, TimeSpan Submitted, TimeSpan Started, TimeSpan Ended)> History { get; } = [];

    public void At(TimeSpan time, Action action) => _agenda.Enqueue(action, (time, _order++));

    public Ticket Submit(string model, TimeSpan service, Action? done = null, int priority = 0)
    {
        var request = Requests.For(model) with { Priority = priority };
        var ticket = new Ticket(request, new RecordingSink(), _order++, Now);
        Lanes.Add(ticket, LaneKey.Of(ModelEndpointKind.Ollama, request));
        _waiting.Add(new Job(ticket, model, service, Now, done));
        return ticket;
    }

    public void Leave(Ticket ticket)
    {
        Assert.True(ticket.TryLeave());
        Lanes.Remove(ticket);
        _waiting.RemoveAll(job => job.Ticket == ticket);
    }

    /// <summary>Runs until nothing is left to do, or until a time.</summary>
    public void Run(TimeSpan? until = null)
    {
        Pump();
        while (_agenda.TryDequeue(out var action, out var when))
        {
            if (when.At > until)
            {
                _agenda.Enqueue(action, when);
                return;
            }

            Now = when.At;
            action();
            Pump();
        }

        if (until is null)
            Assert.Empty(_waiting);
    }

    public void Dispose() => _endpoint.Dispose();

    private void Pump()
    {
        var due = Lanes.Pump(Now, new LaneActions(sharesTurns: false));
        foreach (var job in _waiting.Where(job => job.Ticket.WasGranted).ToList())
        {
            _waiting.Remove(job);
            Start(job);
        }

        if (due is { } next)
        {
            Assert.True(next > Now, "the lanes ask to be looked at again in the past: that would be a busy loop");
            At(next, static () => { });
        }
    }

    private void Start(Job job)
    {
        var started = Now;
        var load = TimeSpan.FromMilliseconds(1);
        if (!_ready.TryGetValue(job.Model, out var ready))
        {
            if (_ready.Count >= _places)
            {
                var victim = _ready.Keys.FirstOrDefault(model => _inFlight.GetValueOrDefault(model) == 0);
                Assert.True(victim is not null, $"{job.Model} was started while all places are busy: the server would queue it");
                _ready.Remove(victim);
            }

            ready = (_loaderFree > Now ? _loaderFree : Now) + _swap;
            _loaderFree = ready;
            _ready.Add(job.Model, ready);
            Loads++;
            LoadTime += _swap;
        }

        if (ready > Now)
            load = ready - Now;
        _inFlight[job.Model] = _inFlight.GetValueOrDefault(job.Model) + 1;
        Assert.True(_inFlight[job.Model] <= _parallelism, "more in flight than the server has slots");
        At(Now + load + job.Service, () =>
        {
            _inFlight[job.Model]--;
            History.Add((job.Model, job.Submitted, started, Now));
            Lanes.Finish(job.Ticket, Now, FakeProvider.Reply(load: load));
            job.Done?.Invoke();
        });
    }

    private sealed record Job(Ticket Ticket, string Model, TimeSpan Service, TimeSpan Submitted, Action? Done);
}

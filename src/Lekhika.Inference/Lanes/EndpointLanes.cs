namespace Lekhika.Inference.Lanes;

// The lanes of one endpoint: who runs next, and when the endpoint is asked to swap models. Pure: told the time, asks nobody, starts nothing.
//
//   A server has places for models (max loaded) and slots for requests in each (parallelism). Swapping models costs seconds to minutes, so the
//   lane that has a place keeps it while it has work. Whoever submits work for two models in turn then pays for a few swaps, not for one a request.
//
//        Away --place free--> Entering --turn granted--> Serving --displaced--> Closing --nothing in flight--> Away
//          ^                  (only where daemons share)    |                                                   |
//          +---------------- idle and the place is wanted --+---------------------------------------------------+
//
//   Rules
//   1. Serving: starts requests while slots are free; higher priority first, then in order of arrival.
//   2. An idle lane loses its place at once to a lane with work, except that it may linger a moment, at most a quarter of what its swap costs, in
//      the hope of its next request: a caller with one request after the other would else pay two swaps for each.
//   3. A lane that has waited MaxWait displaces the lane whose turn is the oldest, though that has work left. No lane starves: it waits at most
//      MaxWait and what is in flight, and lanes that wait are taken in the order they began to wait.
//   4. But a turn lasts at least MinTurnFactor swaps, its own included. When everything is late the endpoint works instead of swapping: at most
//      1/MinTurnFactor of its time goes into swaps, and turns go round.
//   5. Never a request for a model that has no place: the server would queue it where it cannot be cancelled, and let others overtake it.
//   6. What is loaded is what the server says is loaded (/api/ps): of the lanes that wait, one whose model is there goes first, unless another is late.
//   7. A turn shared with other daemons is given back after two idle seconds, and when another daemon wants it: at once if the lane is empty, else
//      once the wish is MaxWait old and the turn has lasted what rule 4 says.
//
//   Failures: a request that ends badly frees its slot like any other; a caller who leaves is gone from the queue at once and, if it had its
//   turn, from its slot as soon as the connection is closed. When the endpoint is set aside the router takes all waiting requests out.

/// <summary>The lanes of one endpoint.</summary>
internal sealed class EndpointLanes(PoolEndpoint endpoint, LaneOptions options)
{
    private const int KeptLanes = 256;
    private static readonly TimeSpan SharedIdle = TimeSpan.FromSeconds(2);

    private readonly Dictionary<LaneKey, Lane> _lanes = [];
    private readonly SwapCost _average = new();
    private readonly ResidentModels _resident = new();

    public PoolEndpoint Endpoint => endpoint;

    public LaneOptions Options { get; set; } = options;

    public IReadOnlyCollection<Lane> All => _lanes.Values;

    public int Depth { get; private set; }

    public int InFlight { get; private set; }

    private int Taken => _lanes.Values.Count(lane => lane.State != LaneState.Away);

    /// <summary>The lane of a request, if there is one yet.</summary>
    public Lane? Find(LaneKey key) => _lanes.GetValueOrDefault(key);

    /// <summary>Queues a request.</summary>
    public void Add(Ticket ticket, LaneKey key)
    {
        if (!_lanes.TryGetValue(key, out var lane))
        {
            Prune();
            _lanes.Add(key, lane = new Lane(this, key, ticket.Request.Model));
        }

        lane.Add(ticket);
        Depth++;
    }

    /// <summary>Takes a waiting request out.</summary>
    public void Remove(Ticket ticket)
    {
        if (ticket.Lane is { } lane && lane.Remove(ticket))
            Depth--;
    }

    /// <summary>Takes all waiting requests out, in order of arrival.</summary>
    public List<Ticket> TakeAll()
    {
        var all = _lanes.Values.SelectMany(lane => lane.Waiting).OrderBy(ticket => ticket.Sequence).ToList();
        all.ForEach(Remove);
        return all;
    }

    /// <summary>A request that had its turn has ended.</summary>
    /// <param name="ticket">The request.</param>
    /// <param name="now">The time.</param>
    /// <param name="reply">Its reply; null if it failed or its caller left.</param>
    /// <param name="failed">It failed.</param>
    public void Finish(Ticket ticket, TimeSpan now, ModelReply? reply, bool failed = false)
    {
        var lane = ticket.Lane!;
        lane.InFlight--;
        InFlight--;
        if (lane.InFlight == 0)
            lane.IdleSince = now;
        if (failed)
            lane.Failed++;
        if (reply is null)
            return;

        lane.Served++;
        lane.Totals = lane.Totals.With(reply);
        if (!ticket.PaysLoad)
            return;
        lane.Cost.Learn(reply.LoadTime);
        _average.Learn(reply.LoadTime);
    }

    /// <summary>The server has said which models it has in memory, in the one spelling.</summary>
    public void Loaded(IReadOnlySet<string> models) => _resident.Told(models, lane => lane.State == LaneState.Entering || !lane.IsIdle);

    /// <summary>Whether the server has the lane's model in memory, as far as is known.</summary>
    public bool IsLoaded(Lane lane) => _resident.Has(lane);

    /// <summary>Gives up all shared turns: the endpoint is used no more.</summary>
    public List<ILaneLease> TakeLeases()
    {
        var leases = new List<ILaneLease>();
        foreach (var lane in _lanes.Values)
        {
            if (lane.Lease is { } lease)
                leases.Add(lease);
            lane.Lease = null;
        }

        return leases;
    }

    /// <summary>What bringing the lane's model in is thought to cost.</summary>
    public TimeSpan CostOf(Lane? lane) => lane?.Cost.Value ?? _average.Value ?? TimeSpan.Zero;

    /// <summary>Whether a request of this key would have to wait for a swap.</summary>
    public bool NeedsSwap(LaneKey key) => Find(key) is not { State: LaneState.Serving or LaneState.Entering }
        && (Taken >= endpoint.Options.Places || (!_resident.HasModel(key.Model) && _resident.Count >= endpoint.Options.Places));

    /// <summary>Starts whatever may start now.</summary>
    /// <returns>When to look again though nothing has happened; null if only an event can change anything.</returns>
    public TimeSpan? Pump(TimeSpan now, LaneActions actions)
    {
        foreach (var lane in _lanes.Values)
        {
            if (lane is { State: LaneState.Serving, Lease: not null } && MustYield(lane, now))
                lane.State = LaneState.Closing;
            if (lane is { State: LaneState.Closing, InFlight: 0 })
                Leave(lane, now, actions);
            Grant(lane, now, actions);
        }

        TimeSpan? due = null;
        if (Depth > 0)
        {
            var closing = _lanes.Values.Count(lane => lane.State == LaneState.Closing);
            var waiting = InOrder(now);
            foreach (var lane in waiting)
            {
                if (HasRoom(lane, now, actions, ref due, ref closing))
                    Enter(lane, now, actions);
            }

            if (Options.Preload)
                Preload(waiting, actions);
        }

        foreach (var lane in _lanes.Values.Where(lane => lane is { State: LaneState.Serving, Lease: not null }))
        {
            if (YieldsAt(lane) is { } at && at > now)
                due = Earlier(due, at);
        }

        return due;
    }

    /// <summary>The shared turn has come, or could not be asked for.</summary>
    public static void Entered(Lane lane, ILaneLease? lease, TimeSpan now)
    {
        lane.Lease = lease;
        if (lane.State == LaneState.Entering)
            Begin(lane, now);
    }

    private static TimeSpan Earlier(TimeSpan? a, TimeSpan b) => a is { } known && known < b ? known : b;

    // Who waits, in the order in which places are given: who is late, then who costs no swap, then who has waited longest.
    private List<Lane> InOrder(TimeSpan now) =>
    [
        .. _lanes.Values.Where(lane => lane is { State: LaneState.Away, Depth: > 0 })
            .OrderBy(lane => now >= lane.WaitingSince + Options.MaxWait ? 0 : IsLoaded(lane) ? 1 : 2)
            .ThenBy(lane => lane.WaitingSince),
    ];

    private bool MustYield(Lane lane, TimeSpan now)
    {
        if (lane.Lease!.Wanted.IsCancellationRequested)
            lane.WantedSince ??= now;
        return YieldsAt(lane) <= now;
    }

    // When a shared turn is given back by the clock; null if there is no reason to.
    private TimeSpan? YieldsAt(Lane lane)
    {
        if (lane.WantedSince is not { } wanted)
            return lane.IsIdle ? lane.IdleSince + SharedIdle : null;
        if (lane.Depth == 0)
            return wanted;
        var (late, worthwhile) = (wanted + Options.MaxWait, lane.TurnStart + (CostOf(lane) * Options.MinTurnFactor));
        return late > worthwhile ? late : worthwhile;
    }

    // The last requests of the present model are under way, and the server may begin to load the next.
    private void Preload(List<Lane> waiting, LaneActions actions)
    {
        if (waiting.Find(lane => lane.State == LaneState.Away) is not { Preloaded: false } next || IsLoaded(next))
            return;
        var ending = _lanes.Values.FirstOrDefault(lane => lane is { State: LaneState.Serving or LaneState.Closing, Depth: 0, InFlight: > 0 });
        // Another daemon may have the next turn, with another model.
        if (ending is null || next.Next() is not { } ticket || (actions.SharesTurns && ending.Lease is not { IsAlone: true }))
            return;
        next.Preloaded = true;
        actions.Preloading.Add(ticket);
    }

    private bool HasRoom(Lane lane, TimeSpan now, LaneActions actions, ref TimeSpan? due, ref int closing)
    {
        if (Taken < endpoint.Options.Places)
            return true;
        if (closing > 0)
        {
            // A place is on its way, and it goes to whoever has waited longest.
            closing--;
            return false;
        }

        var late = lane.WaitingSince + Options.MaxWait;
        var serving = _lanes.Values.Where(other => other.State == LaneState.Serving).ToList();
        if (serving.Where(other => other.IsIdle).MinBy(other => other.IdleSince) is { } idle)
        {
            var until = now >= late ? now : idle.IdleSince + Linger(idle);
            if (now >= until)
            {
                Leave(idle, now, actions);
                return true;
            }

            due = Earlier(due, until < late ? until : late);
            return false;
        }

        if (now < late)
        {
            due = Earlier(due, late);
            return false;
        }

        if (serving.MinBy(other => other.TurnStart) is { } longest)
        {
            var end = longest.TurnStart + (CostOf(lane) * Options.MinTurnFactor);
            if (now >= end)
                longest.State = LaneState.Closing;
            else
                due = Earlier(due, end);
        }

        return false;
    }

    private TimeSpan Linger(Lane lane)
    {
        var quarter = CostOf(lane) / 4;
        return quarter < Options.Linger ? quarter : Options.Linger;
    }

    private void Enter(Lane lane, TimeSpan now, LaneActions actions)
    {
        if (_resident.Enter(lane, endpoint.Options.Places))
            lane.Swaps++;
        lane.Preloaded = false;
        if (actions.SharesTurns && endpoint.Options.Places < int.MaxValue)
        {
            lane.State = LaneState.Entering;
            actions.Entering.Add(lane);
            return;
        }

        Begin(lane, now);
        Grant(lane, now, actions);
    }

    private static void Begin(Lane lane, TimeSpan now)
    {
        lane.State = LaneState.Serving;
        lane.TurnStart = now;
        lane.IdleSince = now;
        lane.FirstOfTurn = true;
        lane.WantedSince = null;
    }

    private static void Leave(Lane lane, TimeSpan now, LaneActions actions)
    {
        lane.State = LaneState.Away;
        lane.LeftAt = now;
        if (lane.Lease is { } lease)
            actions.Leases.Add(lease);
        lane.Lease = null;
    }

    private void Grant(Lane lane, TimeSpan now, LaneActions actions)
    {
        while (lane.State == LaneState.Serving && lane.InFlight < endpoint.Options.Parallelism && lane.Next() is { } ticket)
        {
            Remove(ticket);
            if (!ticket.IsWaiting)
                continue;
            ticket.PaysLoad = lane.FirstOfTurn;
            ticket.StartedAt = now;
            if (!ticket.TryGrant(endpoint))
                continue;
            lane.FirstOfTurn = false;
            _resident.Use(lane);
            lane.InFlight++;
            InFlight++;
            actions.Granted++;
        }
    }

    // Lanes cost little and keep their counters, but names come from outside.
    private void Prune()
    {
        if (_lanes.Count < KeptLanes)
            return;
        foreach (var lane in _lanes.Values.Where(lane => lane is { State: LaneState.Away, IsIdle: true }).OrderBy(lane => lane.LeftAt ?? TimeSpan.Zero)
                     .Take(KeptLanes / 4).ToList())
            _lanes.Remove(lane.Key);
    }
}

using System.Globalization;

namespace Lekhika.Inference.Lanes;

// Which endpoint a request goes to, and what becomes of it when there is none. Pure like the lanes: told the time, starts nothing.
//
//   has the model and is up      -> the lane of the endpoint with the least to do for its weight, a swap counted as work
//   has it but is set aside      -> parked, up to the pool's patience, until the endpoint is back
//   nobody is known to have it   -> the lists of models are read once more; then "not found" at once, unless an endpoint that has never told its
//                                   list cannot be asked: it may have the model, so parked as above
//   an endpoint is set aside     -> all that waits there is routed anew; what is in flight ends as it will
//
//   an endpoint has nothing to do -> it takes over half of what waits for one of its models elsewhere, if that wait is worth a swap
//
//   A request that was let in once is never turned away for lack of room; only new ones are.

/// <summary>Shares requests out among endpoints.</summary>
internal sealed class PoolRouter(ModelPoolOptions options, List<PoolEndpoint> endpoints)
{
    // A list this old is not read again for a name it does not have: misspelt names must not become a flood of questions.
    private static readonly TimeSpan FreshEnough = TimeSpan.FromSeconds(1);

    private readonly List<Ticket> _parked = [];

    public ModelPoolOptions Options { get; set; } = options;

    public List<PoolEndpoint> Endpoints { get; } = endpoints;

    public IReadOnlyList<Ticket> Parked => _parked;

    /// <summary>Gives a request its place, parks it, or refuses it.</summary>
    public void Route(Ticket ticket, TimeSpan now)
    {
        if (!ticket.IsWaiting)
            return;
        var having = Endpoints.Where(endpoint => endpoint.Has(ticket.Request)).ToList();
        if (having.Exists(endpoint => !endpoint.SetAside))
        {
            Place(ticket, having.Where(endpoint => !endpoint.SetAside));
            return;
        }

        if (having.Count == 0)
        {
            var stale = Endpoints.Where(endpoint => !endpoint.SetAside && !IsFresh(endpoint, ticket, now)).ToList();
            stale.ForEach(endpoint => endpoint.AskDue = now);
            if (stale.Count == 0 && !Endpoints.Exists(endpoint => endpoint is { Problem: not null, Models: null }))
            {
                ticket.Refuse(NotFound(ticket.Request.Model));
                return;
            }
        }

        Park(ticket, now);
    }

    /// <summary>Routes everything that is parked anew: something has changed.</summary>
    public void RouteParked(TimeSpan now)
    {
        var parked = _parked.ToList();
        _parked.Clear();
        parked.ForEach(ticket => Route(ticket, now));
    }

    /// <summary>Takes what waits at an endpoint elsewhere.</summary>
    public void Empty(PoolEndpoint endpoint, TimeSpan now) => endpoint.Lanes.TakeAll().ForEach(ticket => Route(ticket, now));

    /// <summary>A caller has left.</summary>
    public void Remove(Ticket ticket)
    {
        if (!_parked.Remove(ticket))
            ticket.Lane?.Owner.Remove(ticket);
    }

    /// <summary>Starts what may start, refuses what has waited in vain.</summary>
    /// <returns>When to look again at the latest.</returns>
    public TimeSpan? Pump(TimeSpan now, LaneActions actions)
    {
        TimeSpan? due = null;
        Balance();
        foreach (var ticket in _parked.Where(ticket => ticket.ParkedUntil <= now).ToList())
        {
            _parked.Remove(ticket);
            ticket.Refuse(Unavailable(ticket));
        }

        foreach (var ticket in _parked)
            due = due < ticket.ParkedUntil ? due : ticket.ParkedUntil;
        foreach (var endpoint in Endpoints)
        {
            if (endpoint.Lanes.Pump(now, actions) is { } next)
                due = due < next ? due : next;
            if (!endpoint.Asking)
                due = due < endpoint.AskDue ? due : endpoint.AskDue;
            if (endpoint.Lanes.Depth > 0)
                due = due < endpoint.LoadedDue ? due : endpoint.LoadedDue;
        }

        return due;
    }

    private static bool IsFresh(PoolEndpoint endpoint, Ticket ticket, TimeSpan now) =>
        endpoint.AskedAt is { } asked && !endpoint.Asking && (asked >= ticket.Since || now - asked < FreshEnough);

    private static bool IsWorthMoving(Lane lane, PoolEndpoint idle)
    {
        var from = lane.Owner.Endpoint;
        var wait = lane.Owner.Depth * from.ServiceTime / from.Options.Parallelism;
        return from != idle && wait > 2 * idle.Lanes.CostOf(idle.Lanes.Find(lane.Key));
    }

    private static double Score(PoolEndpoint endpoint, Ticket ticket)
    {
        var lanes = endpoint.Lanes;
        var key = LaneKey.Of(endpoint.Options.Kind, ticket.Request);
        var work = lanes.Depth + lanes.InFlight + 1.0;
        if (lanes.NeedsSwap(key))
            work += Math.Clamp(lanes.CostOf(lanes.Find(key)) / endpoint.ServiceTime, 0.5, 8);
        return (work / (endpoint.Options.Parallelism * endpoint.Options.Weight)) + (endpoint == ticket.Avoid ? 1e6 : 0);
    }

    // Gives endpoints without work a share of what waits at others. Half of a lane, so that it settles after a few moves.
    private void Balance()
    {
        if (Endpoints.Count < 2)
            return;
        foreach (var idle in Endpoints.Where(endpoint => endpoint is { SetAside: false, Lanes: { Depth: 0, InFlight: 0 } }))
        {
            var lane = Endpoints.SelectMany(endpoint => endpoint.Lanes.All)
                .Where(lane => lane.Depth > 1 && idle.Has(lane.Next()!.Request) && IsWorthMoving(lane, idle))
                .MaxBy(lane => lane.Depth);
            if (lane is null)
                continue;
            foreach (var ticket in lane.Waiting.Reverse().Where(ticket => ticket.Avoid != idle).Take(lane.Depth / 2).ToList())
            {
                lane.Owner.Remove(ticket);
                idle.Lanes.Add(ticket, LaneKey.Of(idle.Options.Kind, ticket.Request));
            }
        }
    }

    private void Place(Ticket ticket, IEnumerable<PoolEndpoint> up)
    {
        var best = up.Where(endpoint => ticket.Admitted || endpoint.Lanes.Depth < Options.Lanes.QueueLimit).MinBy(endpoint => Score(endpoint, ticket));
        if (best is null)
        {
            ticket.Refuse(new ModelException(
                ModelFailure.Unavailable,
                $"The queue for model '{ticket.Request.Model}' is full: {Options.Lanes.QueueLimit} requests wait at every endpoint that has it. Try later, "
                + "or raise the queue limit.")
            { Final = true });
            return;
        }

        ticket.Admitted = true;
        ticket.ParkedUntil = TimeSpan.MaxValue;
        best.Lanes.Add(ticket, LaneKey.Of(best.Options.Kind, ticket.Request));
    }

    private void Park(Ticket ticket, TimeSpan now)
    {
        if (!ticket.Admitted && _parked.Count >= Options.Lanes.QueueLimit)
        {
            ticket.Refuse(Unavailable(ticket));
            return;
        }

        ticket.Lane = null;
        ticket.Admitted = true;
        if (ticket.ParkedUntil == TimeSpan.MaxValue)
            ticket.ParkedUntil = now + Options.Patience;
        _parked.Add(ticket);
    }

    private ModelException NotFound(string model)
    {
        if (Endpoints.Count == 0)
            return new ModelException(ModelFailure.NotFound, $"Model '{model}' cannot be had: no endpoint is configured.");
        var has = string.Join("; ", Endpoints.Select(endpoint => $"{endpoint.Options.Name} ({endpoint.Provider.Address}) has {List(endpoint)}"));
        var cure = Endpoints.Exists(endpoint => endpoint.Options.Kind == ModelEndpointKind.Ollama)
            ? $"Install it with: ollama pull {model}, or correct the name."
            : "Correct the name.";
        return new ModelException(ModelFailure.NotFound, $"No endpoint has model '{model}': {has}. {cure}");
    }

    private static string List(PoolEndpoint endpoint)
    {
        var names = (endpoint.Models ?? []).Order(StringComparer.Ordinal).ToList();
        return names.Count switch
        {
            0 => "no models",
            <= 8 => string.Join(", ", names),
            _ => string.Create(CultureInfo.InvariantCulture, $"{string.Join(", ", names.Take(8))} and {names.Count - 8} more"),
        };
    }

    private ModelException Unavailable(Ticket ticket)
    {
        var problems = string.Join("; ", Endpoints.Where(endpoint => endpoint.Problem is not null).Select(endpoint => endpoint.Problem!.TrimEnd('.')));
        return new ModelException(
            ModelFailure.Unavailable,
            $"No endpoint that could answer for model '{ticket.Request.Model}' is available. {(problems.Length == 0 ? "They do not answer" : problems)}.")
        { Final = true };
    }
}

namespace Lekhika.Inference.Lanes;

/// <summary>Draws the snapshot. The loop draws it after every change; ages are worked out when somebody looks.</summary>
internal static class PoolPicture
{
    public static PoolSnapshot Of(PoolRouter router) => new()
    {
        Parked = router.Parked.Count,
        Endpoints = [.. router.Endpoints.Select(Of)],
    };

    public static PoolSnapshot Aged(PoolSnapshot drawn, TimeSpan now) => drawn with
    {
        Endpoints =
        [
            .. drawn.Endpoints.Select(endpoint => endpoint with
            {
                Lanes = [.. endpoint.Lanes.Select(lane => lane.Depth == 0 ? lane : lane with { OldestAge = now - lane.OldestSince })],
            }),
        ],
    };

    private static EndpointSnapshot Of(PoolEndpoint endpoint) => new()
    {
        Name = endpoint.Options.Name,
        Address = endpoint.Provider.Address,
        SetAside = endpoint.SetAside,
        Problem = endpoint.Problem,
        Models = endpoint.Models?.Count,
        Depth = endpoint.Lanes.Depth,
        InFlight = endpoint.Lanes.InFlight,
        Lanes = [.. endpoint.Lanes.All.OrderBy(lane => lane.State == LaneState.Away).Select(lane => Of(endpoint.Lanes, lane))],
    };

    private static LaneSnapshot Of(EndpointLanes lanes, Lane lane) => new()
    {
        Model = lane.Model,
        Runner = lane.Key.Runner,
        State = lane.State switch
        {
            LaneState.Away => "away",
            LaneState.Entering => "entering",
            LaneState.Serving => "serving",
            _ => "closing",
        },
        Depth = lane.Depth,
        InFlight = lane.InFlight,
        OldestSince = lane.Oldest,
        Swaps = lane.Swaps,
        Served = lane.Served,
        Failed = lane.Failed,
        SwapCost = lane.Cost.Value,
        Loaded = lanes.IsLoaded(lane),
        Totals = lane.Totals,
    };
}

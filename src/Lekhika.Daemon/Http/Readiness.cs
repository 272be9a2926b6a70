namespace Lekhika.Daemon.Http;

/// <summary>Whether this daemon can take work and do it, and if not, why.</summary>
/// <param name="Reasons">Empty if it is ready.</param>
/// <param name="IsReachable">Whether a model endpoint answers.</param>
/// <param name="ModelsProblem">Why no model can be used; null if one can.</param>
internal sealed record Readiness(IReadOnlyList<string> Reasons, bool IsReachable, string? ModelsProblem)
{
    public bool IsReady => Reasons.Count == 0;

    public static Readiness Of(HttpServerContext services)
    {
        var state = services.State;
        var reasons = new List<string>();
        if (state.DatabaseProblem is { } database) reasons.Add($"database: {database}");
        else if (state.WorkerProblem is { } worker) reasons.Add($"worker: {worker}");
        else if (state.Incarnation is null && !state.Draining) reasons.Add("worker: it is starting");
        if (state.Draining) reasons.Add("shutting down: no new work is taken");
        var models = Models(services);
        if (models is not null) reasons.Add($"models: {models}");
        return new Readiness(reasons, state.Endpoints.Any(static endpoint => endpoint.Reachable), models);
    }

    private static string? Models(HttpServerContext services)
    {
        var endpoints = services.State.Endpoints;
        if (endpoints.Count == 0) return "the model endpoints have not been asked yet";
        var reachable = endpoints.Where(static endpoint => endpoint.Reachable).ToList();
        if (reachable.Count == 0)
            return string.Join("; ", endpoints.Select(static endpoint => $"{endpoint.Address}: {endpoint.Problem ?? "not reachable"}"));
        if (reachable.All(static endpoint => endpoint.Models.IsEmpty))
            return $"{reachable[0].Address} has no models; `ollama pull` one";
        if (services.DefaultModel() is { } wanted && !reachable.Any(endpoint => endpoint.Models.Any(model => IsSame(model.Name, wanted))))
            return $"no endpoint has the default model {wanted}; pull it, or change models.default";
        return null;
    }

    // A name without a tag means :latest.
    private static bool IsSame(string listed, string wanted) =>
        string.Equals(listed, wanted.Contains(':', StringComparison.Ordinal) ? wanted : wanted + ":latest", StringComparison.OrdinalIgnoreCase)
        || string.Equals(listed, wanted, StringComparison.OrdinalIgnoreCase);
}

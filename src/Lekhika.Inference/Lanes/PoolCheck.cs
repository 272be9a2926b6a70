namespace Lekhika.Inference.Lanes;

/// <summary>Asks an endpoint how it is, past lanes and circuit.</summary>
internal static class PoolCheck
{
    public static async Task<EndpointHealth> AskAsync(PoolEndpoint endpoint, CancellationToken cancellationToken)
    {
        var provider = endpoint.Provider;
        try
        {
            var version = provider.VersionAsync(cancellationToken);
            var models = provider.ListModelsAsync(cancellationToken);
            var loaded = provider.ListLoadedAsync(cancellationToken);
            await Task.WhenAll(version, models, loaded);
            return new EndpointHealth
            {
                Name = endpoint.Options.Name,
                Address = provider.Address,
                Reachable = true,
                Version = await version,
                Models = await models ?? [],
                Loaded = await loaded,
            };
        }
        catch (ModelException exception)
        {
            return new EndpointHealth { Name = endpoint.Options.Name, Address = provider.Address, Reachable = false, Problem = exception.Message };
        }
    }
}

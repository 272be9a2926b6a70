using Lekhika.Postgres.Adopt;

namespace Lekhika.Daemon.Http.Adopt;

/// <summary>The keys of the Lekhika platform's accounts.</summary>
internal interface IEngineKeys
{
    /// <summary>The key of an active engine of that user, or none.</summary>
    Task<List<string>> OfEngineAsync(Guid engine, Guid user, CancellationToken cancellationToken);

    /// <summary>The keys of all active engines of that user.</summary>
    Task<List<string>> OfUserAsync(Guid user, CancellationToken cancellationToken);
}

/// <summary>The same, from PostgreSQL.</summary>
internal sealed class EngineKeyStore(EngineKeys keys) : IEngineKeys
{
    public Task<List<string>> OfEngineAsync(Guid engine, Guid user, CancellationToken cancellationToken) => keys.OfEngineAsync(engine, user, cancellationToken);

    public Task<List<string>> OfUserAsync(Guid user, CancellationToken cancellationToken) => keys.OfUserAsync(user, cancellationToken);
}

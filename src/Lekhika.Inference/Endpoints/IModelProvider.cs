using System.Collections.Immutable;

namespace Lekhika.Inference.Endpoints;

/// <summary>
/// One endpoint as a protocol speaks to it. Stateless but for its connections: no queue, no repetition, one attempt a call. All failures are
/// <see cref="ModelException"/>, except that a cancelled token is <see cref="OperationCanceledException"/>.
/// </summary>
internal interface IModelProvider : IDisposable
{
    /// <summary>Its address, without credentials.</summary>
    string Address { get; }

    /// <summary>One attempt at a call, streamed to <paramref name="sink"/>.</summary>
    Task<ModelReply> CallAsync(ModelRequest request, TimeSpan limit, IModelSink sink, CancellationToken cancellationToken);

    /// <summary>The models it has; null if it does not tell, so that any name has to be tried.</summary>
    Task<ImmutableArray<ModelInfo>?> ListModelsAsync(CancellationToken cancellationToken);

    /// <summary>The models it has in memory; empty if it does not tell.</summary>
    Task<ImmutableArray<ModelInfo>> ListLoadedAsync(CancellationToken cancellationToken);

    /// <summary>Asks it to load the model of a request, as that request will need it; nothing where that has no meaning.</summary>
    Task PreloadAsync(ModelRequest request, CancellationToken cancellationToken);

    /// <summary>Its version; empty if it does not tell.</summary>
    Task<string> VersionAsync(CancellationToken cancellationToken);
}

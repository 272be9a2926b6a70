namespace Lekhika.Inference.Lanes;

/// <summary>
/// The turn of an endpoint among the daemons that share it. A pool asks for it before the first request of a model and gives it back when the model
/// loses its place, is idle for a few seconds, or another daemon wants the turn. Endpoints that do not swap models have no turns.
/// </summary>
public interface ILaneTurn
{
    /// <summary>Waits until this process may send requests for the model to the endpoint.</summary>
    /// <param name="endpoint">Address of the endpoint, without credentials: what daemons with different names for it have in common.</param>
    /// <param name="places">Models that the endpoint holds at once, at least 1.</param>
    /// <param name="model">The model that is to be loaded, in its one spelling, with the runner options that set it apart.</param>
    /// <param name="cancellationToken">The pool stops.</param>
    /// <returns>The turn, to be disposed when it is given back. An exception is logged, and the pool goes on as if alone.</returns>
    ValueTask<ILaneLease> EnterAsync(string endpoint, int places, string model, CancellationToken cancellationToken);
}

/// <summary>A turn held.</summary>
public interface ILaneLease : IAsyncDisposable
{
    /// <summary>Cancelled when another daemon waits for the turn: it is given back once the lane is empty, or the age bound has passed since.</summary>
    CancellationToken Wanted { get; }

    /// <summary>Whether no other daemon is there, as far as is known: then the next model may be loaded ahead.</summary>
    bool IsAlone { get; }
}

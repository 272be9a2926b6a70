namespace Lekhika.Inference;

/// <summary>The way to the models: queues a call in the lane of its model, runs it when its turn comes, repeats it where that helps.</summary>
public interface IModelCaller
{
    /// <summary>Runs one call to its end.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="sink">Told about turn, text and restarts.</param>
    /// <param name="cancellationToken">Leaves the queue at once, or aborts the request in flight.</param>
    /// <exception cref="ModelException">The call failed for good, with a code that says how.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task<ModelReply> RunAsync(ModelRequest request, IModelSink sink, CancellationToken cancellationToken);
}

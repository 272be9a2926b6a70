namespace Lekhika.Inference;

/// <summary>
/// Told what happens while a call runs. Called from the reader of the stream, one call at a time: implementations must be quick and must not
/// throw. What it was given before <see cref="Restarted"/> is void.
/// </summary>
public interface IModelSink
{
    /// <summary>The call waits for its turn; <paramref name="position"/> calls of its lane are before it.</summary>
    void Queued(int position);

    /// <summary>Waits until the request may be sent, now that its turn has come; the turn is held meanwhile. The one call that may take its time.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    ValueTask MayBeginAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <summary>Its turn has come; the request goes to the endpoint.</summary>
    void Started(string endpoint, int attempt);

    /// <summary>A piece of the text.</summary>
    void Text(string piece);

    /// <summary>A piece of thinking.</summary>
    void Thinking(string piece);

    /// <summary>The attempt broke and another begins: everything received so far is to be discarded.</summary>
    void Restarted(string reason);
}

namespace Lekhika.Inference;

/// <summary>A complete reply. Partial text of attempts that broke is never in it.</summary>
public sealed record ModelReply
{
    /// <summary>The text, thinking excluded.</summary>
    public required string Text { get; init; }

    /// <summary>What the model thought aloud; empty if nothing.</summary>
    public string Thinking { get; init; } = "";

    /// <summary>The model that answered, as the endpoint names it.</summary>
    public required string Model { get; init; }

    /// <summary>Why generation ended: <c>stop</c> or <c>length</c>.</summary>
    public required string DoneReason { get; init; }

    /// <summary>The endpoint that answered, without credentials.</summary>
    public required string Endpoint { get; init; }

    /// <summary>Tries it took, the last included.</summary>
    public int Attempts { get; init; } = 1;

    /// <summary>Tokens of the prompt, by the server's count.</summary>
    public int TokensIn { get; init; }

    /// <summary>Tokens generated, by the server's count.</summary>
    public int TokensOut { get; init; }

    /// <summary>Time spent waiting for a turn in our own lane.</summary>
    public TimeSpan QueueTime { get; init; }

    /// <summary>Time the server spent loading the model.</summary>
    public TimeSpan LoadTime { get; init; }

    /// <summary>Time the server spent reading the prompt.</summary>
    public TimeSpan PromptTime { get; init; }

    /// <summary>Time the server spent generating.</summary>
    public TimeSpan GenerationTime { get; init; }

    /// <summary>Tokens generated a second, by the server's own clock; 0 if it told no time.</summary>
    public double TokensPerSecond => GenerationTime > TimeSpan.Zero ? TokensOut / GenerationTime.TotalSeconds : 0;

    /// <summary>Time from the turn to the last byte, by our clock.</summary>
    public TimeSpan TotalTime { get; init; }
}

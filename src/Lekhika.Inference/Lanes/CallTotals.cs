namespace Lekhika.Inference.Lanes;

/// <summary>What the calls of a lane have cost together, by the server's own counters; calls that failed are not in it.</summary>
public sealed record CallTotals
{
    /// <summary>Tokens of prompts.</summary>
    public long TokensIn { get; init; }

    /// <summary>Tokens generated.</summary>
    public long TokensOut { get; init; }

    /// <summary>Time spent waiting for turns.</summary>
    public TimeSpan QueueTime { get; init; }

    /// <summary>Time spent loading.</summary>
    public TimeSpan LoadTime { get; init; }

    /// <summary>Time spent reading prompts.</summary>
    public TimeSpan PromptTime { get; init; }

    /// <summary>Time spent generating.</summary>
    public TimeSpan GenerationTime { get; init; }

    internal CallTotals With(ModelReply reply) => new()
    {
        TokensIn = TokensIn + reply.TokensIn,
        TokensOut = TokensOut + reply.TokensOut,
        QueueTime = QueueTime + reply.QueueTime,
        LoadTime = LoadTime + reply.LoadTime,
        PromptTime = PromptTime + reply.PromptTime,
        GenerationTime = GenerationTime + reply.GenerationTime,
    };
}

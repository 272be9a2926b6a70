namespace Lekhika.Doubles;

/// <summary>How one endpoint writes a reply. Stream lines end with their newline.</summary>
internal interface IWireFormat
{
    /// <summary>Content type of a stream.</summary>
    string StreamType { get; }

    /// <summary>Content type of a plain reply.</summary>
    string PlainType { get; }

    /// <summary>A line with one piece.</summary>
    byte[] Piece(ReplyPiece piece, bool extraFields);

    /// <summary>The last lines; <paramref name="last"/> is what the done line itself carries.</summary>
    byte[] Final(ReplySummary summary, ReplyPiece last, bool extraFields);

    /// <summary>The whole reply; without a summary it was not brought to its end.</summary>
    byte[] Whole(ReplyPiece whole, IReadOnlyList<string> pieces, ReplySummary? summary, bool extraFields);

    /// <summary>The reply to a load or unload, one object even where a stream was asked for.</summary>
    byte[] Idle(string reason);

    /// <summary>An error before the reply began.</summary>
    byte[] Error(int status, string message);

    /// <summary>An error after it began.</summary>
    byte[] ErrorLine(string message);
}

namespace Lekhika.Workflows.Expressions;

/// <summary>What a token is.</summary>
internal enum CelTokenKind
{
    End,
    Identifier,
    QuotedIdentifier,
    Int,
    UInt,
    Double,
    String,
    Bytes,
    Symbol,
}

/// <summary>A token: its place, and for literals its value.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Start">Offset in the text.</param>
/// <param name="End">Offset after it.</param>
/// <param name="Text">The symbol or identifier; empty for literals.</param>
/// <param name="Value">The value of a literal. An integer has no sign yet and may be 2^63, so it is held as a uint.</param>
internal readonly record struct CelToken(CelTokenKind Kind, int Start, int End, string Text, CelValue Value = default)
{
    public bool Is(string symbol) => Kind == CelTokenKind.Symbol && string.Equals(Text, symbol, StringComparison.Ordinal);

    public bool IsWord(string word) => Kind == CelTokenKind.Identifier && string.Equals(Text, word, StringComparison.Ordinal);
}

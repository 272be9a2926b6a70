namespace Lekhika.Doubles;

/// <summary>Cuts a given text into token-sized pieces; together they are the text.</summary>
internal static class Pieces
{
    private const int Longest = 6;

    public static IReadOnlyList<string> Of(string text)
    {
        var pieces = new List<string>((text.Length / 4) + 1);
        for (var start = 0; start < text.Length;)
        {
            var end = start + 1;
            if (text[start] == ' ' && end < text.Length && char.IsLetterOrDigit(text[end]))
                end++;
            if (char.IsLetterOrDigit(text[end - 1]))
            {
                while (end < text.Length && end - start < Longest && char.IsLetterOrDigit(text[end]))
                    end++;
            }
            else if (char.IsHighSurrogate(text[end - 1]) && end < text.Length && char.IsLowSurrogate(text[end]))
            {
                end++;
            }
            pieces.Add(text[start..end]);
            start = end;
        }
        return pieces;
    }

    /// <summary>Tokens behind a piece: each byte of a character past the first came as a token of its own and was held back.</summary>
    public static int Cost(string piece)
    {
        var cost = 1;
        foreach (var unit in piece)
            cost += unit >= 0x80 ? 1 : 0;
        return cost;
    }

    /// <summary>A guess at the tokens of a prompt: four characters each, at least one.</summary>
    public static int Count(int characters) => Math.Max(1, (characters + 3) / 4);
}

namespace Lekhika.Doubles;

/// <summary>Prose that looks like prose: sentences and paragraphs, the same for the same seed.</summary>
internal static class TextSource
{
    /// <summary>Tokens of a text of about that length; the text ends with a full stop.</summary>
    public static IReadOnlyList<string> Prose(StableRandom random, int tokens)
    {
        var pieces = new List<string>(tokens + 24);
        while (pieces.Count < tokens)
        {
            if (pieces.Count > 0)
                pieces.Add("\n\n");
            for (var sentences = 3 + random.Next(4); sentences > 0 && pieces.Count < tokens; sentences--)
                Sentence(random, pieces);
        }
        if (pieces.Count > tokens && tokens > 0)
        {
            pieces.RemoveRange(tokens, pieces.Count - tokens);
            pieces[^1] = pieces.Count == 1 ? "Yes." : ".";
        }
        return pieces;
    }

    private static void Sentence(StableRandom random, List<string> pieces)
    {
        Words(pieces, Pick(random, WordList.Openers));
        Clause(random, pieces);
        for (var more = random.Next(3); more > 0; more--)
        {
            if (random.Next(3) == 0)
                pieces.Add(",");
            Words(pieces, Pick(random, WordList.Links));
            Words(pieces, "the");
            Clause(random, pieces);
        }
        pieces.Add(".");
    }

    private static void Clause(StableRandom random, List<string> pieces)
    {
        if (random.Next(2) == 0)
            Words(pieces, Pick(random, WordList.Adjectives));
        Words(pieces, Pick(random, WordList.Nouns));
        Words(pieces, Pick(random, WordList.Verbs));
        Words(pieces, "the");
        if (random.Next(2) == 0)
            Words(pieces, Pick(random, WordList.Adjectives));
        Words(pieces, Pick(random, WordList.Nouns));
    }

    private static void Words(List<string> pieces, string words)
    {
        foreach (var word in words.Split(' '))
            pieces.Add(pieces.Count == 0 || pieces[^1] == "\n\n" ? word : " " + word);
    }

    private static string Pick(StableRandom random, string[] words) => words[random.Next(words.Length)];
}

namespace Lekhika.Daemon.Nodes.Documents;

/// <summary>Counts words: runs of characters that are not white space.</summary>
internal static class Words
{
    public static int Count(ReadOnlySpan<char> text)
    {
        var words = 0;
        var inside = false;
        foreach (var character in text)
        {
            var blank = char.IsWhiteSpace(character);
            if (!blank && !inside) words++;
            inside = !blank;
        }

        return words;
    }
}

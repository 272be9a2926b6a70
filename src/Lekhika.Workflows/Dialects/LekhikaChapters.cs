namespace Lekhika.Workflows.Dialects;

/// <summary>
/// The number of chapters and words, which come with the inputs: as CEL. A range such as "6-8" means its upper end. Without a number of chapters
/// it follows from the words: up to 2 000 three, up to 5 000 four, up to 10 000 six, else eight.
/// </summary>
internal static class LekhikaChapters
{
    /// <summary>A number or a range of two, with commas, and perhaps a word after it.</summary>
    private const string NumberOrRange = "^ *[1-9][0-9,]*( *(-|–| to ) *[1-9][0-9,]*)?( +[A-Za-z]+)? *$";

    /// <summary>CEL for the number of chapters.</summary>
    public static string Count()
    {
        var byWords = $"[{Words("8001")}].map(words, words <= 2000 ? 3 : words <= 5000 ? 4 : words <= 10000 ? 6 : 8)[0]";
        return Number("chapter_count", byWords);
    }

    /// <summary>CEL for the number of words, or something else where it is not given.</summary>
    public static string Words(string otherwise) => Number("word_count", otherwise);

    private static string Number(string usualName, string otherwise)
    {
        const string Parts = "string(inputs[key]).replace(\",\", \"\").replace(\"–\", \"-\").replace(\" to \", \"-\").split(\"-\")";
        var given = $"{CelText.List(LekhikaNames.SpellingsOf(usualName))}"
            + $".filter(key, key in inputs && string(inputs[key]).matches({CelText.Quote(NumberOrRange)}))";
        return $"({given}.map(key, {Parts}).map(parts, int(parts[size(parts) - 1].trim().split(\" \")[0])) + [{otherwise}])[0]";
    }
}

namespace Lekhika.Workflows.Dialects;

/// <summary>
/// The number of chapters and words, which come with the inputs: as CEL. A range such as "6-8" means its upper end. Without a number of chapters
/// it follows from the words: up to 2 000 three, up to 5 000 four, up to 10 000 six, else eight.
/// </summary>
internal static class LekhikaChapters
{
    /// <summary>CEL for the number of chapters.</summary>
    public static string Count()
    {
        var byWords = $"[{Words("8001")}].map(words, words <= 2000 ? 3 : words <= 5000 ? 4 : words <= 10000 ? 6 : 8)[0]";
        return LekhikaNames.SpellingsOf("chapter_count").Reverse().Aggregate(byWords, static (tail, key) => Number(key, tail));
    }

    /// <summary>CEL for the number of words, or something else where it is not given.</summary>
    public static string Words(string otherwise) =>
        LekhikaNames.SpellingsOf("word_count").Reverse().Aggregate(otherwise, static (tail, key) => Number(key, tail));

    private static string Number(string key, string otherwise)
    {
        var text = $"string({CelText.Member("inputs", key)})";
        var digits = $"{text}.replace(\",\", \"\").replace(\"–\", \"-\").replace(\" to \", \"-\").split(\"-\")";
        // The last part of the range, its digits only: "6-8 chapters" gives 8.
        var last = $"{digits}.map(part, part.trim().split(\" \")[0])";
        return $"({CelText.Quote(key)} in inputs && {text}.matches({CelText.Quote(Simple)}) ? int({last}[size({last}) - 1]) : {otherwise})";
    }

    /// <summary>A number or a range of two, with commas, and perhaps a word after it.</summary>
    private const string Simple = "^ *[0-9][0-9,]*( *(-|–| to ) *[0-9][0-9,]*)?( +[A-Za-z]+)? *$";
}

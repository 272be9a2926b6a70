using System.Buffers;
using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using Lekhika.Workflows.Definitions;

namespace Lekhika.Workflows.Dialects;

/// <summary>
/// What a name in single braces means: an input under any of the spellings it goes by, an earlier node's text, something about the chapter being
/// written; else the visible text <c>[name not provided]</c>. Inputs come with the execution, so the choice is left to CEL.
/// </summary>
internal sealed class LekhikaNames
{
    /// <summary>Spellings that front ends use for one thing; the first is the variable's usual name.</summary>
    private static readonly string[][] Synonyms =
    [
        ["book_title", "title", "Book Title", "Title", "bookTitle"],
        ["author_name", "author", "Author Name", "Author", "authorName"],
        ["topic", "subject", "Topic", "Subject", "Book Topic", "Main Topic"],
        ["genre", "book_type", "Genre", "Book Type", "category"],
        ["target_audience", "audience", "Target Audience", "Audience", "targetAudience"],
        ["word_count", "target_length", "Word Count", "Target Length", "wordCount", "words", "length"],
        ["chapter_count", "chapterCount", "Chapter Count", "Number of Chapters", "number_of_chapters", "numberOfChapters"],
        ["tone", "Tone", "voice"],
        ["writing_style", "style", "Writing Style", "writingStyle"],
        ["output_formats", "outputFormats", "exportFormats", "Output Formats"],
        ["description", "Description", "book_description", "summary"],
        ["transcript_content", "transcript", "Transcript", "Transcript Text"],
    ];

    private static readonly SearchValues<char> PlainCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789");

    /// <summary>The spellings by each of them, without regard to case and punctuation.</summary>
    private static readonly FrozenDictionary<string, string[]> ByPlainName = Synonyms
        .SelectMany(static list => list.Select(word => (Plain: Plain(word), List: list)))
        .DistinctBy(static entry => entry.Plain)
        .ToFrozenDictionary(static entry => entry.Plain, static entry => entry.List, StringComparer.Ordinal);

    private static readonly string[] Suffixes = ["output", "data", "results", "result", "content", "text", "findings", "notes", "node"];

    private readonly Dictionary<string, List<string>> _declared = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<string>> _spellings = new(StringComparer.Ordinal);
    private readonly LekhikaFlow _flow;
    private Dictionary<string, List<(int Place, DraftNode Node)>>? _named;

    public LekhikaNames(DraftGraph graph, LekhikaFlow flow)
    {
        _flow = flow;
        foreach (var node in graph.Nodes.Where(static node => node.Type == "trigger")) Declare(node.Source);
    }

    /// <summary>CEL for the text that stands for a name in a prompt of a node.</summary>
    public string Text(string name, DraftNode node) => Value(name, node, CelText.Quote($"[{name} not provided]"));

    /// <summary>CEL for the value of a name at a node, or <paramref name="otherwise"/> where it is missing.</summary>
    public string Value(string name, DraftNode node, string otherwise)
    {
        var plain = Plain(name);
        if (Chapter(plain, node) is { } chapter) return chapter;
        if (plain is "userinputdata" or "userinput" or "inputdata" or "allinputs") return "inputs";
        var source = plain is "previousnodeoutput" or "previousoutput" or "lastnodeoutput" or "lastoutput" or "previousresult" or "previousnode"
            ? _flow.TextFor(node)
            : Find(plain, node);
        var rest = source is null ? otherwise : TextOf(source, otherwise);
        return First(Spellings(name), rest);
    }

    /// <summary>CEL for an input under any spelling of its usual names, the first name first, or something else.</summary>
    public static string Input(string otherwise, params ReadOnlySpan<string> usualNames)
    {
        var keys = new List<string>();
        foreach (var usual in usualNames) keys.AddRange(SpellingsOf(usual));
        return First(keys, otherwise);
    }

    /// <summary>All spellings of a usual name.</summary>
    public static string[] SpellingsOf(string usualName) => Synonyms.First(list => list[0] == usualName);

    /// <summary>CEL for an earlier node's text, if that node ran.</summary>
    public static string TextOf(DraftNode source, string otherwise) =>
        $"({CelText.Quote(source.Id)} in nodes ? {CelText.Node(source.Id)}.text : {otherwise})";

    /// <summary>CEL for the first of these keys that the inputs have, or something else.</summary>
    private static string First(List<string> keys, string otherwise)
    {
        if (keys.Count == 1)
            return $"({CelText.Quote(keys[0])} in inputs && {CelText.Member("inputs", keys[0])} != null ? {CelText.Member("inputs", keys[0])} : {otherwise})";
        return $"({CelText.List(keys)}.filter(key, key in inputs && inputs[key] != null).map(key, inputs[key]) + [{otherwise}])[0]";
    }

    private static string? Chapter(string plain, DraftNode node)
    {
        if (node.Type != "chapters") return null;
        return plain switch
        {
            "currentchapter" or "chapternumber" => "item.number",
            "totalchapters" => "item.total",
            "previouschapters" => "item.previous_titles",
            "previouschaptersummary" or "previoussummary" => "item.previous_summary",
            "chaptertitle" => "item.title",
            "chapteroutline" => "item.outline",
            _ => null,
        };
    }

    /// <summary>The keys under which an input may have come, likeliest first. The same few names stand in the prompts of many nodes.</summary>
    private List<string> Spellings(string name)
    {
        if (_spellings.TryGetValue(name, out var known)) return known;
        var keys = new List<string>();
        Add(name);
        if (_declared.TryGetValue(Plain(name), out var declared)) declared.ForEach(Add);
        else
        {
            var snake = Snake(name);
            Add(name.ToLowerInvariant());
            Add(snake);
            if (ByPlainName.GetValueOrDefault(Plain(name)) is { } synonyms)
            {
                foreach (var synonym in synonyms) Add(synonym);
                foreach (var synonym in synonyms)
                {
                    if (_declared.TryGetValue(Plain(synonym), out var other)) other.ForEach(Add);
                }
            }
        }

        return _spellings[name] = keys;

        void Add(string key)
        {
            if (!keys.Contains(key)) keys.Add(key);
        }
    }

    /// <summary>The earlier node that a name such as <c>research_data</c> speaks of: of several the one that ran last.</summary>
    private DraftNode? Find(string plain, DraftNode node)
    {
        if (_declared.ContainsKey(plain)) return null;
        _named ??= Index();
        var stem = Stem(plain);
        var known = _named.GetValueOrDefault(plain) ?? [];
        if (stem != plain && _named.TryGetValue(stem, out var others)) known = [.. known.Concat(others).OrderBy(static entry => entry.Place)];
        if (known.Count == 0) return null;
        for (var index = known.Count - 1; index >= 0; index--)
        {
            if (_flow.IsBefore(known[index].Node, node)) return known[index].Node;
        }

        return null;
    }

    /// <summary>The nodes that give text, by each of their names, in the order they run.</summary>
    private Dictionary<string, List<(int Place, DraftNode Node)>> Index()
    {
        var index = new Dictionary<string, List<(int Place, DraftNode Node)>>(StringComparer.Ordinal);
        for (var place = 0; place < _flow.Sequence.Count; place++)
        {
            var node = _flow.Sequence[place];
            if (node.Type is not ("llm" or "chapters" or "refine")) continue;
            foreach (var name in NamesOf(node).Distinct(StringComparer.Ordinal))
            {
                if (!index.TryGetValue(name, out var list)) index[name] = list = [];
                list.Add((place, node));
            }
        }

        return index;
    }

    private static IEnumerable<string> NamesOf(DraftNode node)
    {
        var id = Plain(node.Id);
        yield return id;
        yield return id.TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9');
        if (node.Name is { } label)
        {
            yield return Plain(label);
            yield return Stem(Plain(label));
        }

        if (node.Role.Length > 0) yield return Plain(node.Role);
        if (node.Role == "researcher") yield return "research";
        if (LekhikaRoles.IsStructural(node))
        {
            foreach (var word in new[] { "outline", "structure", "bookstructure", "chapterbreakdown", "bookoutline", "blueprint", "plan" }) yield return word;
        }

        if (node.Type == "chapters")
        {
            foreach (var word in new[] { "draft", "book", "manuscript", "written", "writer" }) yield return word;
        }

        if (node.Type == "refine") yield return "edited";
    }

    private static string Stem(string plain)
    {
        foreach (var suffix in Suffixes)
        {
            if (plain.Length > suffix.Length + 2 && plain.EndsWith(suffix, StringComparison.Ordinal)) return plain[..^suffix.Length];
        }

        return plain;
    }

    private static string Plain(string name)
    {
        if (!name.AsSpan().ContainsAnyExcept(PlainCharacters)) return name;
        var plain = new StringBuilder(name.Length);
        foreach (var character in name)
        {
            if (char.IsLetterOrDigit(character)) plain.Append(char.ToLowerInvariant(character));
        }

        return plain.ToString();
    }

    private static string Snake(string name)
    {
        var text = new StringBuilder(name.Length + 4);
        for (var index = 0; index < name.Length; index++)
        {
            if (index > 0 && char.IsUpper(name[index]) && char.IsLower(name[index - 1])) text.Append('_');
            text.Append(name[index] is ' ' or '-' ? '_' : char.ToLowerInvariant(name[index]));
        }

        return text.ToString();
    }

    private void Declare(JsonElement data)
    {
        if (!data.TryGet("inputFields", out var fields) || fields.ValueKind != JsonValueKind.Array) return;
        foreach (var field in fields.EnumerateArray())
        {
            var keys = new[] { field.Text("variable"), field.Text("name") }.OfType<string>().Distinct(StringComparer.Ordinal).ToList();
            foreach (var key in keys) _declared.TryAdd(Plain(key), keys);
        }
    }
}

using System.Globalization;
using System.Text;

namespace Lekhika.Workflows.Expressions;

/// <summary>
/// A character class of RE2, over code points, as a pattern of .NET, over UTF-16 units: what lies beyond U+FFFF becomes alternatives of
/// surrogate pairs.
/// </summary>
internal sealed class Re2Class
{
    private const string Pair = @"[\uD800-\uDBFF][\uDC00-\uDFFF]";
    private const int FirstAstral = 0x10000;
    private const int LastAstral = 0x10FFFF;

    private readonly StringBuilder _units = new();
    private readonly List<(int From, int To)> _astral = [];

    public bool Negated { get; set; }

    /// <summary>Any character; a new line only if <paramref name="newLine"/>.</summary>
    public static string Any(bool newLine)
    {
        var all = new Re2Class { Negated = true };
        if (!newLine)
            all.Add('\n', '\n');
        return all.ToString();
    }

    public static string Literal(int code) => code switch
    {
        < 128 when char.IsAsciiLetterOrDigit((char)code) => ((char)code).ToString(),
        < FirstAstral => Unit(code),
        _ => $"(?:{Unit(High(code))}{Unit(Low(code))})",
    };

    public void Add(int from, int to)
    {
        if (from < FirstAstral)
            _units.Append(Unit(from)).Append('-').Append(Unit(Math.Min(to, 0xFFFF)));
        if (to >= FirstAstral)
            _astral.Add((Math.Max(from, FirstAstral), to));
    }

    /// <summary>Adds a class of .NET that has no members beyond U+FFFF here, such as <c>\p{L}</c>.</summary>
    public void AddUnits(string units) => _units.Append(units);

    /// <summary>Adds one of the classes d, w and s, which are ASCII in RE2, or the opposite of one.</summary>
    public bool TryAddPerl(char letter)
    {
        (int, int)[]? ranges = char.ToLowerInvariant(letter) switch
        {
            'd' => [('0', '9')],
            'w' => [('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
            's' => [('\t', '\n'), ('\f', '\r'), (' ', ' ')],
            _ => null,
        };
        return ranges is not null && AddRanges(ranges, char.IsAsciiLetterUpper(letter));
    }

    /// <summary>Adds a class such as <c>alpha</c>.</summary>
    public bool TryAddPosix(string name, bool negated)
    {
        (int, int)[]? ranges = name switch
        {
            "alnum" => [('0', '9'), ('A', 'Z'), ('a', 'z')],
            "alpha" => [('A', 'Z'), ('a', 'z')],
            "ascii" => [(0, 127)],
            "blank" => [('\t', '\t'), (' ', ' ')],
            "cntrl" => [(0, 31), (127, 127)],
            "digit" => [('0', '9')],
            "graph" => [('!', '~')],
            "lower" => [('a', 'z')],
            "print" => [(' ', '~')],
            "punct" => [('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
            "space" => [('\t', '\r'), (' ', ' ')],
            "upper" => [('A', 'Z')],
            "word" => [('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
            "xdigit" => [('0', '9'), ('A', 'F'), ('a', 'f')],
            _ => null,
        };
        return ranges is not null && AddRanges(ranges, negated);
    }

    public override string ToString()
    {
        var alternatives = new List<string>();
        if (Negated)
            alternatives.Add($"[^{_units}\\uD800-\\uDFFF]");
        else if (_units.Length > 0)
            alternatives.Add($"[{_units}]");
        foreach (var (from, to) in Negated ? Complement() : _astral)
            AddPairs(alternatives, from, to);
        return alternatives.Count == 1 ? alternatives[0] : $"(?:{string.Join('|', alternatives)})";
    }

    private static string Unit(int code) => string.Create(CultureInfo.InvariantCulture, $"\\u{code:X4}");

    private static int High(int code) => 0xD800 + ((code - FirstAstral) >> 10);

    private static int Low(int code) => 0xDC00 + ((code - FirstAstral) & 0x3FF);

    private static void AddPairs(List<string> alternatives, int from, int to)
    {
        if (from == FirstAstral && to == LastAstral)
        {
            alternatives.Add(Pair);
            return;
        }

        while (from <= to)
        {
            // Up to the end of the pairs with this first half, or over all first halves that are covered whole.
            var end = Math.Min(to, from | 0x3FF);
            if (Low(from) == 0xDC00 && to - from >= 0x3FF)
            {
                end = to - ((to + 1) & 0x3FF);
                alternatives.Add($"[{Unit(High(from))}-{Unit(High(end))}][\\uDC00-\\uDFFF]");
            }
            else
            {
                alternatives.Add($"{Unit(High(from))}[{Unit(Low(from))}-{Unit(Low(end))}]");
            }

            from = end + 1;
        }
    }

    private bool AddRanges((int From, int To)[] ranges, bool negated)
    {
        var next = 0;
        foreach (var (from, to) in ranges)
        {
            if (!negated)
                Add(from, to);
            else if (from > next)
                Add(next, from - 1);
            next = to + 1;
        }

        if (negated)
        {
            Add(next, 0xD7FF);
            Add(0xE000, LastAstral);
        }

        return true;
    }

    private IEnumerable<(int From, int To)> Complement()
    {
        var next = FirstAstral;
        foreach (var (from, to) in _astral.OrderBy(static range => range.From))
        {
            if (from > next)
                yield return (next, from - 1);
            next = Math.Max(next, to + 1);
        }

        if (next <= LastAstral)
            yield return (next, LastAstral);
    }
}

using System.Globalization;
using System.Text;

namespace Lekhika.Workflows.Expressions;

/// <summary>
/// Rewrites a regular expression of RE2 for the non-backtracking engine of .NET: classes are ASCII, <c>$</c> is the very end, characters
/// are code points. Repetition is limited as in RE2, so that a short pattern cannot stand for a huge one.
/// </summary>
internal sealed partial class Re2Pattern
{
    private const int MaxLength = 4096;
    private const int MaxRepeat = 1000;
    private const int MaxGroups = 200;
    private const int MaxTotalRepeat = 5000;

    private readonly string _pattern;
    private readonly StringBuilder _result = new();
    private readonly Stack<(bool NewLine, bool MultiLine, int Repeat)> _groups = new();
    private int _at;
    private bool _newLine;
    private bool _multiLine;

    /// <summary>How often what is in the current group is repeated by quantifiers inside it, and for the last item alone.</summary>
    private int _groupRepeat = 1;
    private int _itemRepeat = 1;
    private bool _hasItem;
    private long _totalRepeat;

    private Re2Pattern(string pattern) => _pattern = pattern;

    /// <summary>Rewrites a pattern.</summary>
    /// <param name="pattern">The pattern as RE2 has it.</param>
    /// <param name="translated">The pattern as .NET has it.</param>
    /// <param name="size">How large its automaton may get: its characters and repetitions.</param>
    /// <param name="problem">What is wrong with it, if it is refused.</param>
    public static bool TryTranslate(string pattern, out string translated, out long size, out string problem)
    {
        (translated, size, problem) = ("", 0, "");
        if (pattern.Length > MaxLength)
        {
            problem = $"it has {pattern.Length} characters; at most {MaxLength} are allowed";
            return false;
        }

        try
        {
            var rewriting = new Re2Pattern(pattern);
            translated = rewriting.Translate();
            size = pattern.Length + rewriting._totalRepeat;
            return true;
        }
        catch (FormatException error)
        {
            problem = error.Message;
            return false;
        }
    }

    private string Translate()
    {
        while (_at < _pattern.Length)
        {
            var c = _pattern[_at];
            switch (c)
            {
                case '(':
                    Open();
                    break;
                case ')':
                    Close();
                    break;
                case '*' or '+' or '?':
                    _at++;
                    Quantify(c.ToString(), 1);
                    break;
                case '{' when TryReadRepeat(out var text, out var times):
                    Quantify(text, times);
                    break;
                case '|' or '^':
                    _result.Append(c);
                    _at++;
                    _hasItem = false;
                    break;
                case '$':
                    _result.Append(_multiLine ? "$" : @"\z");
                    _at++;
                    _hasItem = false;
                    break;
                case '.':
                    _at++;
                    Item(Re2Class.Any(_newLine));
                    break;
                case '[':
                    Item(Class());
                    break;
                case '\\':
                    Escape();
                    break;
                default:
                    Item(Re2Class.Literal(NextCode()));
                    break;
            }
        }

        if (_groups.Count > 0)
            throw new FormatException("a '(' has no ')'");
        return _result.ToString();
    }

    private void Item(string text)
    {
        _result.Append(text);
        (_itemRepeat, _hasItem) = (1, true);
    }

    private void Quantify(string text, int times)
    {
        if (!_hasItem)
            throw new FormatException($"'{text}' has nothing to repeat");
        var repeat = (long)_itemRepeat * Math.Max(1, times);
        if (times > MaxRepeat || repeat > MaxRepeat)
            throw new FormatException($"'{text}' repeats more than {MaxRepeat} times");
        _totalRepeat += times > 1 ? repeat : 0;
        if (_totalRepeat > MaxTotalRepeat)
            throw new FormatException($"its repetitions add up to more than {MaxTotalRepeat}");
        _result.Append(text);
        if (_at < _pattern.Length && _pattern[_at] == '?')
        {
            _result.Append('?');
            _at++;
        }

        _groupRepeat = Math.Max(_groupRepeat, (int)repeat);
        _hasItem = false;
    }

    private bool TryReadRepeat(out string text, out int times)
    {
        (text, times) = ("", 0);
        var end = _pattern.IndexOf('}', _at);
        if (end < 0 || end - _at > 20)
            return false;
        var parts = _pattern[(_at + 1)..end].Split(',');
        if (parts.Length > 2 || !IsCount(parts[0]) || (parts.Length == 2 && parts[1].Length > 0 && !IsCount(parts[1])))
            return false;
        text = _pattern[_at..(end + 1)];
        times = Math.Max(Count(parts[0]), parts.Length == 2 ? Count(parts[1]) : 0);
        _at = end + 1;
        return true;
    }

    private static bool IsCount(string text) => text.Length > 0 && text.AsSpan().IndexOfAnyExceptInRange('0', '9') < 0;

    private static int Count(string text) => text.Length == 0 ? 0 : text.Length > 6 ? int.MaxValue / 2 : int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private void Open()
    {
        var saved = (_newLine, _multiLine, _groupRepeat);
        _at++;
        var opening = "(?:";
        if (_at < _pattern.Length && _pattern[_at] == '?')
        {
            if (!TryReadGroupName())
            {
                opening = Flags(out var closes);
                if (closes)
                {
                    _result.Append(opening);
                    _hasItem = false;
                    return;
                }
            }
        }

        if (_groups.Count >= MaxGroups)
            throw new FormatException($"groups nest deeper than {MaxGroups}");
        _groups.Push(saved);
        _result.Append(opening);
        (_groupRepeat, _hasItem) = (1, false);
    }

    /// <summary>Names do not matter to whether a pattern is found, so every group is made a plain one.</summary>
    private bool TryReadGroupName()
    {
        var rest = _pattern.AsSpan(_at);
        var name = rest.StartsWith("?P<") ? 3 : rest.StartsWith("?<") && !rest.StartsWith("?<=") && !rest.StartsWith("?<!") ? 2 : 0;
        if (name == 0)
            return false;
        var length = rest[name..].IndexOf('>');
        if (length <= 0 || !Identifiers.IsIdentifier("_" + rest.Slice(name, length).ToString()))
            throw new FormatException("a group's name is written (?P<name>…)");
        _at += name + length + 1;
        return true;
    }

    private string Flags(out bool closes)
    {
        var on = new StringBuilder();
        var off = new StringBuilder();
        var negative = false;
        for (_at++; _at < _pattern.Length; _at++)
        {
            switch (_pattern[_at])
            {
                case '-' when !negative:
                    negative = true;
                    break;
                case 'i' or 'm' or 's':
                    (negative ? off : on).Append(_pattern[_at]);
                    if (_pattern[_at] == 's')
                        _newLine = !negative;
                    if (_pattern[_at] == 'm')
                        _multiLine = !negative;
                    break;
                case 'U':
                    break;
                case ':' or ')':
                    closes = _pattern[_at] == ')';
                    _at++;
                    var flags = off.Length > 0 ? $"{on}-{off}" : on.ToString();
                    return closes ? (flags.Length == 0 ? "" : $"(?{flags})") : $"(?{flags}:";
                default:
                    throw new FormatException($"'(?{_pattern[_at]}' is not supported: there are (?:…), (?P<name>…) and the flags i, m, s and U, but no look-around");
            }
        }

        throw new FormatException("a '(?' has no ')'");
    }

    private void Close()
    {
        if (_groups.Count == 0)
            throw new FormatException("a ')' has no '('");
        var inner = _groupRepeat;
        (_newLine, _multiLine, _groupRepeat) = _groups.Pop();
        _groupRepeat = Math.Max(_groupRepeat, inner);
        _result.Append(')');
        _at++;
        (_itemRepeat, _hasItem) = (inner, true);
    }

    private int NextCode()
    {
        var length = CodePoints.LengthAt(_pattern, _at);
        var code = length == 2 ? char.ConvertToUtf32(_pattern[_at], _pattern[_at + 1]) : _pattern[_at];
        _at += length;
        return code;
    }
}

using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Lekhika.Doubles;

/// <summary>
/// A text that matches a regular expression, as far as schemas use them: literals, classes, groups, alternatives, repetitions, anchors.
/// What it cannot write is found out by matching, and then there is no text.
/// </summary>
internal sealed class PatternText
{
    private readonly string _pattern;
    private readonly StableRandom _random;
    private int _at;

    private PatternText(string pattern, StableRandom random) => (_pattern, _random) = (pattern, random);

    public static string? Write(string pattern, StableRandom random)
    {
        try
        {
            var text = new PatternText(pattern, random).Alternatives();
            return Regex.IsMatch(text, pattern, RegexOptions.ECMAScript, TimeSpan.FromMilliseconds(200)) ? text : null;
        }
        catch (Exception error) when (error is ArgumentException or FormatException or RegexMatchTimeoutException)
        {
            return null;
        }
    }

    private string Alternatives()
    {
        var branches = new List<string> { Sequence() };
        while (_at < _pattern.Length && _pattern[_at] == '|')
        {
            _at++;
            branches.Add(Sequence());
        }
        return branches[_random.Next(branches.Count)];
    }

    private string Sequence()
    {
        var text = new StringBuilder();
        while (_at < _pattern.Length && _pattern[_at] is not ('|' or ')'))
        {
            var start = _at;
            var atom = Atom();
            var end = _at;
            var (least, most) = Repetition();
            var times = least + _random.Next(most - least + 1);
            if (times > 0)
                text.Append(atom);
            var after = _at;
            for (var i = 1; i < times; i++)
            {
                _at = start;
                text.Append(Atom());
            }
            _at = Math.Max(after, end);
        }
        return text.ToString();
    }

    private string Atom()
    {
        var c = _pattern[_at++];
        switch (c)
        {
            case '^' or '$':
                return "";
            case '.':
                return Letter();
            case '[':
                return Class();
            case '\\':
                return Escape(_pattern[_at++]);
            case '(':
                if (_at < _pattern.Length && _pattern[_at] == '?')
                {
                    if (_at + 1 >= _pattern.Length || _pattern[_at + 1] != ':')
                        throw new FormatException("look-around and named groups are not written");
                    _at += 2;
                }
                var inner = Alternatives();
                _at++;
                return inner;
            default:
                return c.ToString();
        }
    }

    private string Class()
    {
        var negated = _pattern[_at] == '^';
        if (negated)
            _at++;
        var members = new List<char>();
        while (_pattern[_at] != ']' || members.Count == 0)
        {
            var from = _pattern[_at] == '\\' ? Escape(_pattern[++_at])[0] : _pattern[_at];
            _at++;
            if (_pattern[_at] == '-' && _pattern[_at + 1] != ']')
            {
                var to = _pattern[_at + 1];
                _at += 2;
                for (var member = from; member <= to; member++)
                    members.Add(member);
            }
            else
            {
                members.Add(from);
            }
        }
        _at++;
        if (negated)
            members = [.. "abcdefghijklmnopqrstuvwxyz0123456789 _-.,ABCDEFGHIJ".Where(c => !members.Contains(c))];
        return members[_random.Next(members.Count)].ToString();
    }

    private string Escape(char c) => c switch
    {
        'd' => ((char)('0' + _random.Next(10))).ToString(),
        'w' => Letter(),
        's' => " ",
        'D' or 'S' or 'W' => c == 'W' ? "-" : Letter(),
        'n' => "\n",
        't' => "\t",
        'b' or 'B' => "",
        _ => c.ToString(),
    };

    private string Letter() => ((char)('a' + _random.Next(26))).ToString();

    private (int Least, int Most) Repetition()
    {
        if (_at >= _pattern.Length)
            return (1, 1);
        var bounds = (1, 1);
        switch (_pattern[_at])
        {
            case '?': bounds = (0, 1); break;
            case '*': bounds = (0, 6); break;
            case '+': bounds = (1, 8); break;
            case '{':
                var end = _pattern.IndexOf('}', _at);
                var parts = _pattern[(_at + 1)..end].Split(',');
                var least = int.Parse(parts[0], CultureInfo.InvariantCulture);
                var most = parts.Length == 1 ? least : parts[1].Length == 0 ? least + 4 : int.Parse(parts[1], CultureInfo.InvariantCulture);
                bounds = (least, most);
                _at = end;
                break;
            default:
                return bounds;
        }
        _at++;
        if (_at < _pattern.Length && _pattern[_at] is '?')
            _at++;
        return bounds;
    }
}

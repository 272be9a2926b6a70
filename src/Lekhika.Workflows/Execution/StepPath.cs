using System.Globalization;
using System.Text;

namespace Lekhika.Workflows.Execution;

/// <summary>Reads a key made by <see cref="StepKey"/> segment by segment: <c>chapters[3].draft</c> is (chapters, 3), (draft, none).</summary>
internal ref struct StepPath(string key)
{
    private readonly ReadOnlySpan<char> _key = key;
    private int _at;

    /// <summary>Whether the whole key has been read.</summary>
    public readonly bool AtEnd => _at > _key.Length;

    /// <summary>Reads the next segment; false when the key is not of that form.</summary>
    public bool TryNext(out string id, out int? iteration)
    {
        (id, iteration) = ("", null);
        if (AtEnd) return false;

        var start = _at;
        StringBuilder? unescaped = null;
        while (_at < _key.Length && _key[_at] is not ('.' or '['))
        {
            if (_key[_at] == ']') return false;
            if (_key[_at] == '\\')
            {
                if (++_at == _key.Length) return false;
                unescaped ??= new StringBuilder().Append(_key[start..(_at - 1)]);
            }

            unescaped?.Append(_key[_at]);
            _at++;
        }

        id = unescaped?.ToString() ?? _key[start.._at].ToString();
        if (_at < _key.Length && _key[_at] == '[' && !TryReadIteration(out iteration)) return false;
        if (_at < _key.Length && _key[_at] != '.') return false;
        // Past a dot another segment must follow; past the end nothing does.
        _at++;
        return true;
    }

    private bool TryReadIteration(out int? iteration)
    {
        iteration = null;
        var close = _key[_at..].IndexOf(']');
        if (close < 0) return false;
        var digits = _key.Slice(_at + 1, close - 1);
        if (digits.Length > 1 && digits[0] == '0') return false;
        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return false;
        iteration = number;
        _at += close + 1;
        return true;
    }
}

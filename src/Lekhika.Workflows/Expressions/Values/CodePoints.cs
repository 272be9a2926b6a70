using System.Text;

namespace Lekhika.Workflows.Expressions;

/// <summary>Text counted in Unicode code points, as CEL has it. Text without surrogates, which is nearly all, takes the short way.</summary>
internal static class CodePoints
{
    public static bool AreUnits(string text) => text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0;

    /// <summary>Whether all surrogates come in pairs. Text from outside may break this, and JSON refuses it.</summary>
    public static bool AreWellFormed(string text)
    {
        for (var at = 0; at < text.Length; at += LengthAt(text, at))
        {
            if (char.IsSurrogate(text[at]) && LengthAt(text, at) == 1)
                return false;
        }

        return true;
    }

    public static int Count(ReadOnlySpan<char> text)
    {
        var at = text.IndexOfAnyInRange('\uD800', '\uDFFF');
        if (at < 0)
            return text.Length;
        var count = text.Length;
        for (; at + 1 < text.Length; at++)
        {
            if (char.IsSurrogatePair(text[at], text[at + 1]))
            {
                count--;
                at++;
            }
        }

        return count;
    }

    /// <summary>The UTF-16 offset of the code point number <paramref name="index"/>, which may be the end; -1 if there are fewer.</summary>
    public static int OffsetOf(string text, long index)
    {
        if (index < 0 || index > text.Length)
            return -1;
        if (AreUnits(text))
            return (int)index;
        var at = 0;
        for (; index > 0 && at < text.Length; index--)
            at += at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1;
        return index == 0 ? at : -1;
    }

    public static int LengthAt(string text, int offset) =>
        offset + 1 < text.Length && char.IsSurrogatePair(text[offset], text[offset + 1]) ? 2 : 1;

    /// <summary>Ordinal by code point: unlike UTF-16 units, U+FFFF is before U+10000.</summary>
    public static int Compare(string a, string b)
    {
        var common = a.AsSpan().CommonPrefixLength(b);
        if (common == a.Length || common == b.Length)
            return a.Length.CompareTo(b.Length);
        var (x, y) = (a[common], b[common]);
        if (char.IsSurrogate(x) != char.IsSurrogate(y))
            return char.IsSurrogate(x) ? 1 : -1;
        return x.CompareTo(y);
    }

    public static string Reverse(string text)
    {
        var reversed = new StringBuilder(text.Length);
        for (var at = text.Length; at > 0;)
        {
            var length = at > 1 && char.IsSurrogatePair(text[at - 2], text[at - 1]) ? 2 : 1;
            at -= length;
            reversed.Append(text, at, length);
        }

        return reversed.ToString();
    }
}

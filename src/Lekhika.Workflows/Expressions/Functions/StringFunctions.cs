using System.Text;

namespace Lekhika.Workflows.Expressions;

/// <summary>The standard functions on text and the string extension. Positions and lengths count code points.</summary>
internal static class StringFunctions
{
    public static CelValue Contains(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        if (!AreStrings(args))
            return CelError.NoOverload("contains", args);
        ChargeSearch(ref frame, args[0].StringValue, args[1].StringValue);
        return CelValue.From(args[0].StringValue.Contains(args[1].StringValue, StringComparison.Ordinal));
    }

    public static CelValue StartsWith(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        if (!AreStrings(args))
            return CelError.NoOverload("startsWith", args);
        frame.ChargeText(args[1].StringValue.Length);
        return CelValue.From(args[0].StringValue.StartsWith(args[1].StringValue, StringComparison.Ordinal));
    }

    public static CelValue EndsWith(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        if (!AreStrings(args))
            return CelError.NoOverload("endsWith", args);
        frame.ChargeText(args[1].StringValue.Length);
        return CelValue.From(args[0].StringValue.EndsWith(args[1].StringValue, StringComparison.Ordinal));
    }

    public static CelValue CharAt(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        if (args[0].Kind != CelKind.String || args[1].Kind != CelKind.Int)
            return CelError.NoOverload("charAt", args);
        var text = args[0].StringValue;
        frame.ChargeText(text.Length);
        var at = CodePoints.OffsetOf(text, args[1].IntValue);
        if (at < 0)
            return OutOfRange(args[1].IntValue);
        return CelValue.From(at == text.Length ? "" : text.Substring(at, CodePoints.LengthAt(text, at)));
    }

    public static CelValue IndexOf(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        if (!AreStrings(args[..2]) || (args.Length == 3 && args[2].Kind != CelKind.Int))
            return CelError.NoOverload("indexOf", args);
        var (text, part) = (args[0].StringValue, args[1].StringValue);
        ChargeSearch(ref frame, text, part);
        var from = args.Length == 3 ? args[2].IntValue : 0;
        var start = CodePoints.OffsetOf(text, from);
        if (start < 0)
            return OutOfRange(from);
        var at = text.IndexOf(part, start, StringComparison.Ordinal);
        return CelValue.From(at < 0 ? -1L : from + CodePoints.Count(text.AsSpan(start, at - start)));
    }

    public static CelValue LastIndexOf(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        if (!AreStrings(args[..2]) || (args.Length == 3 && args[2].Kind != CelKind.Int))
            return CelError.NoOverload("lastIndexOf", args);
        var (text, part) = (args[0].StringValue, args[1].StringValue);
        ChargeSearch(ref frame, text, part);
        var end = text.Length;
        if (args.Length == 3)
        {
            var start = CodePoints.OffsetOf(text, args[2].IntValue);
            if (start < 0)
                return OutOfRange(args[2].IntValue);
            end = (int)Math.Min(text.Length, (long)start + part.Length);
        }

        var at = text.AsSpan(0, end).LastIndexOf(part, StringComparison.Ordinal);
        return CelValue.From(at < 0 ? -1L : CodePoints.Count(text.AsSpan(0, at)));
    }

    public static CelValue Join(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        if (args[0].Kind != CelKind.List || (args.Length == 2 && args[1].Kind != CelKind.String))
            return CelError.NoOverload("join", args);
        var separator = args.Length == 2 ? args[1].StringValue : "";
        var joined = new StringBuilder();
        var cursor = default(CelCursor);
        for (var first = true; args[0].ListValue.Next(ref cursor, out var item); first = false)
        {
            frame.Charge();
            if (item.Kind != CelKind.String)
                return CelValue.Error($"no such overload: join takes a list of strings, found {CelType.Of(item).Name} in it; use list.map(x, string(x))");
            if (!first)
                joined.Append(separator);
            joined.Append(item.StringValue);
            frame.CheckSize(joined.Length);
        }

        frame.ChargeText(joined.Length);
        return CelValue.From(joined.ToString());
    }

    public static CelValue LowerAscii(ref CelFrame frame, ReadOnlySpan<CelValue> args) => Cased("lowerAscii", args, upper: false, ref frame);

    public static CelValue UpperAscii(ref CelFrame frame, ReadOnlySpan<CelValue> args) => Cased("upperAscii", args, upper: true, ref frame);

    public static CelValue Replace(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        if (!AreStrings(args[..3]) || (args.Length == 4 && args[3].Kind != CelKind.Int))
            return CelError.NoOverload("replace", args);
        var (text, old, with) = (args[0].StringValue, args[1].StringValue, args[2].StringValue);
        ChargeSearch(ref frame, text, old);
        var left = args.Length == 4 && args[3].IntValue >= 0 ? args[3].IntValue : long.MaxValue;
        var result = new StringBuilder(text.Length);
        var at = 0;
        for (; left > 0; left--)
        {
            frame.ChargeText(with.Length);
            frame.CheckSize(result.Length + (long)with.Length);

            // An empty text is found before every character and at the end.
            if (old.Length == 0)
            {
                result.Append(with);
                if (at >= text.Length)
                    break;
                var length = CodePoints.LengthAt(text, at);
                result.Append(text, at, length);
                at += length;
                continue;
            }

            var found = text.IndexOf(old, at, StringComparison.Ordinal);
            if (found < 0)
                break;
            frame.Charge();
            result.Append(text, at, found - at).Append(with);
            at = found + old.Length;
        }

        result.Append(text, at, text.Length - at);
        frame.ChargeNew(result.Length);
        return CelValue.From(result.ToString());
    }

    public static CelValue Split(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        if (!AreStrings(args[..2]) || (args.Length == 3 && args[2].Kind != CelKind.Int))
            return CelError.NoOverload("split", args);
        var (text, separator) = (args[0].StringValue, args[1].StringValue);
        ChargeSearch(ref frame, text, separator);
        var limit = args.Length == 3 && args[2].IntValue >= 0 ? args[2].IntValue : long.MaxValue;
        if (limit == 0 || (text.Length == 0 && separator.Length == 0))
            return frame.NewList([]);
        var parts = new List<CelValue>();
        var at = 0;
        while (parts.Count < limit - 1)
        {
            int found;
            if (separator.Length == 0)
                found = at + CodePoints.LengthAt(text, at) is var next && next < text.Length ? next : -1;
            else
                found = text.IndexOf(separator, at, StringComparison.Ordinal);
            if (found < 0)
                break;
            frame.Charge();
            parts.Add(CelValue.From(text[at..found]));
            at = found + separator.Length;
        }

        parts.Add(CelValue.From(text[at..]));
        return frame.NewList([.. parts]);
    }

    public static CelValue Substring(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        if (args[0].Kind != CelKind.String || args[1].Kind != CelKind.Int || (args.Length == 3 && args[2].Kind != CelKind.Int))
            return CelError.NoOverload("substring", args);
        var text = args[0].StringValue;
        frame.ChargeText(text.Length);
        var start = CodePoints.OffsetOf(text, args[1].IntValue);
        if (start < 0)
            return OutOfRange(args[1].IntValue);
        if (args.Length == 2)
            return CelValue.From(text[start..]);
        var end = CodePoints.OffsetOf(text, args[2].IntValue);
        if (end < 0)
            return OutOfRange(args[2].IntValue);
        return end < start
            ? CelValue.Error($"invalid substring range. start: {args[1].IntValue}, end: {args[2].IntValue}")
            : CelValue.From(text[start..end]);
    }

    public static CelValue Trim(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        if (args[0].Kind != CelKind.String)
            return CelError.NoOverload("trim", args);
        frame.ChargeText(args[0].StringValue.Length);
        return CelValue.From(args[0].StringValue.Trim());
    }

    public static CelValue Quote(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        if (args[0].Kind != CelKind.String)
            return CelError.NoOverload("strings.quote", args);
        frame.ChargeNew(args[0].StringValue.Length * 2L);
        var quoted = new StringBuilder(args[0].StringValue.Length + 2).Append('"');
        foreach (var rune in args[0].StringValue.EnumerateRunes())
        {
            _ = rune.Value switch
            {
                '\a' => quoted.Append("\\a"),
                '\b' => quoted.Append("\\b"),
                '\f' => quoted.Append("\\f"),
                '\n' => quoted.Append("\\n"),
                '\r' => quoted.Append("\\r"),
                '\t' => quoted.Append("\\t"),
                '\v' => quoted.Append("\\v"),
                '\\' => quoted.Append("\\\\"),
                '"' => quoted.Append("\\\""),
                _ => quoted.Append(rune.ToString()),
            };
        }

        return CelValue.From(quoted.Append('"').ToString());
    }

    private static CelValue Cased(string name, ReadOnlySpan<CelValue> args, bool upper, ref CelFrame frame)
    {
        if (args[0].Kind != CelKind.String)
            return CelError.NoOverload(name, args);
        var text = args[0].StringValue;
        frame.ChargeNew(text.Length);
        return CelValue.From(string.Create(text.Length, (text, upper), static (result, state) =>
        {
            for (var i = 0; i < result.Length; i++)
            {
                var c = state.text[i];
                result[i] = state.upper ? (char.IsAsciiLetterLower(c) ? (char)(c - 32) : c) : char.IsAsciiLetterUpper(c) ? (char)(c + 32) : c;
            }
        }));
    }

    private static bool AreStrings(ReadOnlySpan<CelValue> args)
    {
        foreach (ref readonly var arg in args)
        {
            if (arg.Kind != CelKind.String)
                return false;
        }

        return true;
    }

    /// <summary>The worst case of a search is the product of both lengths.</summary>
    private static void ChargeSearch(ref CelFrame frame, string text, string part) =>
        frame.ChargeText(text.Length * (1 + (Math.Min(part.Length, text.Length) / 256L)));

    private static CelValue OutOfRange(long index) => CelValue.Error($"index out of range: {index}");
}

using System.Globalization;
using System.Text;

namespace Lekhika.Workflows.Expressions;

/// <summary><c>"…%s…".format([…])</c>: clauses %s %d %f %e %b %o %x %X and %%, with a precision such as %.2f.</summary>
internal static class StringFormat
{
    private const int MaxPrecision = 1000;

    public static CelValue Format(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        if (args[0].Kind != CelKind.String || args[1].Kind != CelKind.List)
            return CelError.NoOverload("format", args);
        var (template, values) = (args[0].StringValue, args[1].ListValue);
        var result = new StringBuilder(template.Length + 16);
        var used = 0;
        for (var at = 0; at < template.Length; at++)
        {
            if (template[at] != '%')
            {
                result.Append(template[at]);
                continue;
            }

            at++;
            if (at < template.Length && template[at] == '%')
            {
                result.Append('%');
                continue;
            }

            if (!TryReadPrecision(template, ref at, out var precision) || at >= template.Length)
                return Unreadable(template[at..] is "" ? "it ends after '%'" : "a precision is written %.2f, of at most 1000 digits");
            if (used >= values.Count)
                return CelValue.Error($"error during formatting: index {used} out of range: there are {values.Count} values");
            var clause = template[at];
            if (!"sdfebxXo".Contains(clause, StringComparison.Ordinal))
                return Unreadable($"unrecognized formatting clause \"{template.AsSpan(at, CodePoints.LengthAt(template, at))}\"");
            var error = Append(result, clause, precision, values.At(used++), ref frame);
            if (error is not null)
                return CelValue.Error($"error during formatting: {error}");
        }

        frame.ChargeNew(result.Length);
        return CelValue.From(result.ToString());
    }

    private static CelValue Unreadable(string why) => CelValue.Error($"could not parse formatting clause: {why}");

    private static bool TryReadPrecision(string template, ref int at, out int? precision)
    {
        precision = null;
        if (at >= template.Length || template[at] != '.')
            return true;
        var end = ++at;
        while (end < template.Length && char.IsAsciiDigit(template[end]))
            end++;
        var read = int.TryParse(template.AsSpan(at, end - at), NumberStyles.None, CultureInfo.InvariantCulture, out var digits);
        (at, precision) = (end, digits);
        return read && digits <= MaxPrecision;
    }

    /// <summary>Appends one value; what comes back is the error, if any.</summary>
    private static string? Append(StringBuilder result, char clause, int? precision, in CelValue value, ref CelFrame frame)
    {
        var kind = CelType.Of(value).Name;
        switch (clause)
        {
            case 's':
                return AppendText(result, value, ref frame);
            case 'd' when value.Kind is CelKind.Int or CelKind.UInt || (value.Kind == CelKind.Double && !double.IsFinite(value.DoubleValue)):
                result.Append(value.ToText());
                return null;
            case 'd':
                return $"decimal clause can only be used on integers, was given {kind}";
            case 'f' or 'e' when value.IsNumber:
                frame.Charge(20 + (precision ?? 0));
                var number = CelNumber.ToDouble(value);
                result.Append(!double.IsFinite(number) ? CelNumber.Shortest(number) : clause == 'f' ? Fixed(number, precision ?? 6) : Scientific(number, precision ?? 6));
                return null;
            case 'f':
                return $"fixed-point clause can only be used on doubles, was given {kind}";
            case 'e':
                return $"scientific clause can only be used on doubles, was given {kind}";
            case 'b' when value.Kind == CelKind.Bool:
                result.Append(value.IsTrue ? '1' : '0');
                return null;
            case 'b':
                return AppendRadix(result, value, "b") ? null : $"only integers and bools can be formatted as binary, was given {kind}";
            case 'o':
                return AppendOctal(result, value) ? null : $"octal clause can only be used on integers, was given {kind}";
            default:
                if (value.Kind is CelKind.String or CelKind.Bytes)
                {
                    var bytes = value.Kind == CelKind.Bytes ? value.BytesValue : Encoding.UTF8.GetBytes(value.StringValue);
                    frame.ChargeNew(result.Length + (bytes.Length * 2L));
                    result.Append(clause == 'x' ? Convert.ToHexStringLower(bytes) : Convert.ToHexString(bytes));
                    return null;
                }

                return AppendRadix(result, value, clause == 'x' ? "x" : "X")
                    ? null
                    : $"only integers, byte buffers, and strings can be formatted as hex, was given {kind}";
        }
    }

    private static bool AppendRadix(StringBuilder result, in CelValue value, string format)
    {
        if (!TryMagnitude(value, out var magnitude, out var sign))
            return false;
        result.Append(sign).Append(magnitude.ToString(format, CultureInfo.InvariantCulture));
        return true;
    }

    private static bool AppendOctal(StringBuilder result, in CelValue value)
    {
        if (!TryMagnitude(value, out var magnitude, out var sign))
            return false;
        var digits = "";
        for (; magnitude > 0; magnitude >>= 3)
            digits = (char)('0' + (int)(magnitude & 7)) + digits;
        result.Append(sign).Append(digits.Length == 0 ? "0" : digits);
        return true;
    }

    private static bool TryMagnitude(in CelValue value, out ulong magnitude, out string sign)
    {
        sign = value.Kind == CelKind.Int && value.IntValue < 0 ? "-" : "";
        magnitude = sign.Length > 0 ? unchecked(0UL - value.UIntValue) : value.UIntValue;
        return value.Kind is CelKind.Int or CelKind.UInt;
    }

    private static string? AppendText(StringBuilder result, in CelValue value, ref CelFrame frame)
    {
        frame.Enter();
        switch (value.Kind)
        {
            case CelKind.Null:
                result.Append("null");
                break;
            case CelKind.Bytes:
                result.Append(Encoding.UTF8.GetString(value.BytesValue));
                break;
            case CelKind.List:
                result.Append('[');
                var cursor = default(CelCursor);
                for (var first = true; value.ListValue.Next(ref cursor, out var item); first = false)
                {
                    result.Append(first ? "" : ", ");
                    AppendText(result, item, ref frame);
                }

                result.Append(']');
                break;
            case CelKind.Map:
                AppendMap(result, value.MapValue, ref frame);
                break;
            default:
                result.Append(value.Kind == CelKind.Double ? CelNumber.ShortestPlain(value.DoubleValue) : value.ToText());
                break;
        }

        frame.CheckSize(result.Length);
        return null;
    }

    private static void AppendMap(StringBuilder result, CelMap map, ref CelFrame frame)
    {
        var entries = map.Enumerate().Select(static entry => (Key: entry.Key.ToText(), entry.Value)).ToList();
        entries.Sort(static (a, b) => CodePoints.Compare(a.Key, b.Key));
        result.Append('{');
        for (var i = 0; i < entries.Count; i++)
        {
            result.Append(i == 0 ? "" : ", ").Append(entries[i].Key).Append(": ");
            AppendText(result, entries[i].Value, ref frame);
        }

        result.Append('}');
    }

    /// <summary>Fixed-point digits; what lies exactly between two goes to the even one.</summary>
    private static string Fixed(double value, int precision)
    {
        var exact = value.ToString("F" + (precision + 40).ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        var tail = exact.AsSpan(exact.Length - 40);
        var rounded = value.ToString("F" + precision.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        var isTie = tail[0] == '5' && !tail[1..].ContainsAnyExcept('0');
        var kept = exact[..^40].TrimEnd('.');
        return isTie && (kept[^1] - '0') % 2 == 0 ? kept : rounded;
    }

    private static string Scientific(double value, int precision)
    {
        var text = value.ToString("e" + precision.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        var at = text.IndexOf('e', StringComparison.Ordinal);
        var exponent = text[(at + 2)..].TrimStart('0').PadLeft(2, '0');
        return $"{text.AsSpan(0, at + 2)}{exponent}";
    }
}

using System.Globalization;
using System.Text;

namespace Lekhika.Workflows.Expressions;

/// <summary>Conversions between kinds. One that would lose the value's range is an error.</summary>
internal static class Conversions
{
    private const double TwoTo63 = 9223372036854775808.0;
    private const double TwoTo64 = 18446744073709551616.0;

    private static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static CelValue ToInt(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        var value = args[0];
        switch (value.Kind)
        {
            case CelKind.Int:
                return value;
            case CelKind.UInt:
                return value.UIntValue <= long.MaxValue ? CelValue.From((long)value.UIntValue) : OutOfRange(value, "int");
            case CelKind.Double:
                // The ends are refused: they may stand for a number beyond them.
                var number = value.DoubleValue;
                return number > -TwoTo63 && number < TwoTo63 ? CelValue.From((long)number) : OutOfRange(value, "int");
            case CelKind.String:
                return long.TryParse(value.StringValue, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var parsed)
                    ? CelValue.From(parsed)
                    : NotA(value, "int");
            case CelKind.Timestamp:
                return CelValue.From(value.TimeValue.Seconds);
            default:
                return CelError.NoOverload("int", args);
        }
    }

    public static CelValue ToUInt(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        var value = args[0];
        return value.Kind switch
        {
            CelKind.UInt => value,
            CelKind.Int => value.IntValue >= 0 ? CelValue.From((ulong)value.IntValue) : OutOfRange(value, "uint"),
            CelKind.Double => value.DoubleValue is >= 0 and < TwoTo64 ? CelValue.From((ulong)value.DoubleValue) : OutOfRange(value, "uint"),
            CelKind.String => ulong.TryParse(value.StringValue, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed)
                ? CelValue.From(parsed)
                : NotA(value, "uint"),
            _ => CelError.NoOverload("uint", args),
        };
    }

    public static CelValue ToDouble(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        var value = args[0];
        if (value.IsNumber)
            return CelValue.From(CelNumber.ToDouble(value));
        if (value.Kind != CelKind.String)
            return CelError.NoOverload("double", args);
        frame.ChargeText(value.StringValue.Length);
        return TryParseDouble(value.StringValue, out var parsed) ? CelValue.From(parsed) : NotA(value, "double");
    }

    public static CelValue ToText(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        var value = args[0];
        switch (value.Kind)
        {
            case CelKind.Bytes:
                frame.ChargeNew(value.BytesValue.Length);
                try
                {
                    return CelValue.From(s_strictUtf8.GetString(value.BytesValue));
                }
                catch (DecoderFallbackException)
                {
                    return CelValue.Error("invalid UTF-8: these bytes are not text");
                }

            case CelKind.String or CelKind.Bool or CelKind.Int or CelKind.UInt or CelKind.Double or CelKind.Timestamp or CelKind.Duration or CelKind.Type:
                return CelValue.From(value.ToText());
            default:
                return CelError.NoOverload("string", args);
        }
    }

    public static CelValue ToBytes(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        if (args[0].Kind == CelKind.Bytes)
            return args[0];
        if (args[0].Kind != CelKind.String)
            return CelError.NoOverload("bytes", args);
        frame.ChargeNew(args[0].StringValue.Length);
        return CelValue.From(Encoding.UTF8.GetBytes(args[0].StringValue));
    }

    public static CelValue ToBool(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        if (args[0].Kind == CelKind.Bool)
            return args[0];
        if (args[0].Kind != CelKind.String)
            return CelError.NoOverload("bool", args);
        return args[0].StringValue switch
        {
            "1" or "t" or "T" or "true" or "TRUE" or "True" => CelValue.True,
            "0" or "f" or "F" or "false" or "FALSE" or "False" => CelValue.False,
            _ => NotA(args[0], "bool"),
        };
    }

    public static CelValue ToTimestamp(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        switch (args[0].Kind)
        {
            case CelKind.Timestamp:
                return args[0];
            case CelKind.Int:
                var time = new CelTime(args[0].IntValue, 0);
                return time.IsTimestamp ? CelValue.From(CelKind.Timestamp, time) : OutOfRange(args[0], "timestamp");
            case CelKind.String:
                return CelTime.TryParseTimestamp(args[0].StringValue, out var parsed)
                    ? CelValue.From(CelKind.Timestamp, parsed)
                    : NotA(args[0], "timestamp", "; write it as 2025-01-31T08:00:00Z, in the years 1 to 9999");
            default:
                return CelError.NoOverload("timestamp", args);
        }
    }

    public static CelValue ToDuration(ref CelFrame frame, ReadOnlySpan<CelValue> args) => args[0].Kind switch
    {
        CelKind.Duration => args[0],
        CelKind.String => CelTime.TryParseDuration(args[0].StringValue, out var parsed)
            ? CelValue.From(CelKind.Duration, parsed)
            : NotA(args[0], "duration", "; write it as 1h30m, 90s or 100ms, at most 315576000000s"),
        _ => CelError.NoOverload("duration", args),
    };

    public static CelValue ToDyn(ref CelFrame frame, ReadOnlySpan<CelValue> args) => args[0];

    public static CelValue ToType(ref CelFrame frame, ReadOnlySpan<CelValue> args) => CelValue.From(CelType.Of(args[0]));

    public static CelValue ToBase64(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        if (args[0].Kind != CelKind.Bytes)
            return CelError.NoOverload("base64.encode", args);
        frame.ChargeNew(args[0].BytesValue.Length * 2L);
        return CelValue.From(Convert.ToBase64String(args[0].BytesValue));
    }

    public static CelValue FromBase64(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        if (args[0].Kind != CelKind.String)
            return CelError.NoOverload("base64.decode", args);
        var text = args[0].StringValue;
        frame.ChargeNew(text.Length);
        var padded = text.Length % 4 == 0 ? text : text.PadRight(text.Length + 4 - (text.Length % 4), '=');
        var bytes = new byte[padded.Length / 4 * 3];
        return Convert.TryFromBase64String(padded, bytes, out var length)
            ? CelValue.From(bytes[..length])
            : NotA(args[0], "bytes", "; it is not base64");
    }

    private static bool TryParseDouble(string text, out double value)
    {
        value = 0;
        if (text.Length == 0)
            return false;
        var unsigned = text.AsSpan(text[0] is '+' or '-' ? 1 : 0);
        if (unsigned.Equals("inf", StringComparison.OrdinalIgnoreCase) || unsigned.Equals("infinity", StringComparison.OrdinalIgnoreCase))
        {
            value = text[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
            return true;
        }

        if (text.Equals("nan", StringComparison.OrdinalIgnoreCase))
        {
            value = double.NaN;
            return true;
        }

        const NumberStyles Styles = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return double.TryParse(text, Styles, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
    }

    private static CelValue OutOfRange(in CelValue value, string type) =>
        CelValue.Error($"range: {CelError.Shorten(value.ToText())} does not fit {type}");

    private static CelValue NotA(in CelValue value, string type, string hint = "") =>
        CelValue.Error($"type conversion error: '{CelError.Shorten(value.StringValue)}' is no {type}{hint}");
}

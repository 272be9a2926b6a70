namespace Lekhika.Workflows.Expressions;

/// <summary>The operators on numbers, texts, lists and times. Both operands have one kind, except where times and durations meet.</summary>
internal static class CelArithmetic
{
    private static readonly string[] s_names = ["+", "-", "*", "/", "%"];

    public static CelValue Apply(char symbol, in CelValue a, in CelValue b, ref CelFrame frame)
    {
        if (a.Kind == b.Kind)
        {
            switch (a.Kind)
            {
                case CelKind.Int:
                    return OnInts(symbol, a.IntValue, b.IntValue);
                case CelKind.UInt:
                    return OnUInts(symbol, a.UIntValue, b.UIntValue);
                case CelKind.Double when symbol != '%':
                    return CelValue.From(OnDoubles(symbol, a.DoubleValue, b.DoubleValue));
                case CelKind.String when symbol == '+':
                    frame.ChargeNew((long)a.StringValue.Length + b.StringValue.Length);
                    return CelValue.From(string.Concat(a.StringValue, b.StringValue));
                case CelKind.Bytes when symbol == '+':
                    frame.ChargeNew((long)a.BytesValue.Length + b.BytesValue.Length);
                    return CelValue.From([.. a.BytesValue, .. b.BytesValue]);
                case CelKind.List when symbol == '+':
                    return Concatenate(a.ListValue, b.ListValue, ref frame);
            }
        }

        return OnTimes(symbol, a, b) ?? CelError.NoOperator(s_names["+-*/%".IndexOf(symbol, StringComparison.Ordinal)], a, b);
    }

    public static CelValue Negate(in CelValue value) => value.Kind switch
    {
        CelKind.Int when value.IntValue == long.MinValue => Overflow("-", value),
        CelKind.Int => CelValue.From(-value.IntValue),
        CelKind.Double => CelValue.From(-value.DoubleValue),
        CelKind.Duration => CelValue.From(CelKind.Duration, -value.TimeValue),
        _ => CelValue.Error($"no such overload: -{CelType.Of(value).Name}"),
    };

    private static CelValue OnInts(char symbol, long a, long b)
    {
        if (b == 0 && symbol is '/' or '%')
            return CelValue.Error(symbol == '/' ? "division by zero" : "modulus by zero");
        var result = (Int128)a;
        result = symbol switch
        {
            '+' => result + b,
            '-' => result - b,
            '*' => result * b,
            '/' => b == -1 ? -result : a / b,
            _ => b == -1 ? 0 : a % b,
        };
        var overflows = result < long.MinValue || result > long.MaxValue || (symbol == '%' && a == long.MinValue && b == -1);
        return overflows ? Overflow("int", CelValue.From(a)) : CelValue.From((long)result);
    }

    private static CelValue OnUInts(char symbol, ulong a, ulong b)
    {
        if (b == 0 && symbol is '/' or '%')
            return CelValue.Error(symbol == '/' ? "division by zero" : "modulus by zero");
        var result = symbol switch
        {
            '+' => (Int128)a + b,
            '-' => (Int128)a - b,
            '*' when (UInt128)a * b > ulong.MaxValue => -1,
            '*' => (Int128)a * b,
            '/' => a / b,
            _ => a % b,
        };
        return result < 0 || result > ulong.MaxValue ? Overflow("uint", CelValue.From(a)) : CelValue.From((ulong)result);
    }

    private static double OnDoubles(char symbol, double a, double b) => symbol switch
    {
        '+' => a + b,
        '-' => a - b,
        '*' => a * b,
        _ => a / b,
    };

    private static CelValue? OnTimes(char symbol, in CelValue a, in CelValue b)
    {
        var (time, isTimestamp) = (symbol, a.Kind, b.Kind) switch
        {
            ('+', CelKind.Timestamp, CelKind.Duration) or ('+', CelKind.Duration, CelKind.Timestamp) => (a.TimeValue + b.TimeValue, true),
            ('-', CelKind.Timestamp, CelKind.Duration) => (a.TimeValue - b.TimeValue, true),
            ('+', CelKind.Duration, CelKind.Duration) => (a.TimeValue + b.TimeValue, false),
            ('-', CelKind.Duration, CelKind.Duration) or ('-', CelKind.Timestamp, CelKind.Timestamp) => (a.TimeValue - b.TimeValue, (bool?)false),
            _ => (default, null),
        };
        if (isTimestamp is null)
            return null;
        if (isTimestamp.Value)
            return time.IsTimestamp ? CelValue.From(CelKind.Timestamp, time) : CelValue.Error("timestamp out of range: the years are 1 to 9999");
        return time.IsDuration && (a.Kind == CelKind.Duration || time.IsDifference)
            ? CelValue.From(CelKind.Duration, time)
            : CelValue.Error("duration out of range");
    }

    private static CelValue Concatenate(CelList a, CelList b, ref CelFrame frame)
    {
        if (a.Count == 0)
            return CelValue.From(b);
        if (b.Count == 0)
            return CelValue.From(a);
        frame.Charge((long)a.Count + b.Count);
        var items = new CelValue[a.Count + b.Count];
        var at = 0;
        var cursor = default(CelCursor);
        while (a.Next(ref cursor, out var item))
            items[at++] = item;
        cursor = default;
        while (b.Next(ref cursor, out var item))
            items[at++] = item;
        return frame.NewList(items);
    }

    private static CelValue Overflow(string what, in CelValue value) =>
        CelValue.Error($"integer overflow: the result of {(what == "-" ? "-(" + value.ToText() + ")" : what + " arithmetic")} does not fit 64 bits");
}

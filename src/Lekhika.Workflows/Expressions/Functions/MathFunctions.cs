namespace Lekhika.Workflows.Expressions;

/// <summary>The math extension.</summary>
internal static class MathFunctions
{
    public static CelValue Greatest(ref CelFrame frame, ReadOnlySpan<CelValue> args) => Extreme("math.greatest", args, 1, ref frame);

    public static CelValue Least(ref CelFrame frame, ReadOnlySpan<CelValue> args) => Extreme("math.least", args, -1, ref frame);

    public static CelValue Ceil(ref CelFrame frame, ReadOnlySpan<CelValue> args) => OnDouble("math.ceil", args, Math.Ceiling);

    public static CelValue Floor(ref CelFrame frame, ReadOnlySpan<CelValue> args) => OnDouble("math.floor", args, Math.Floor);

    public static CelValue Round(ref CelFrame frame, ReadOnlySpan<CelValue> args) =>
        OnDouble("math.round", args, static value => Math.Round(value, MidpointRounding.AwayFromZero));

    public static CelValue Trunc(ref CelFrame frame, ReadOnlySpan<CelValue> args) => OnDouble("math.trunc", args, Math.Truncate);

    public static CelValue Sqrt(ref CelFrame frame, ReadOnlySpan<CelValue> args) =>
        args[0].IsNumber ? CelValue.From(Math.Sqrt(CelNumber.ToDouble(args[0]))) : CelError.NoOverload("math.sqrt", args);

    public static CelValue IsNaN(ref CelFrame frame, ReadOnlySpan<CelValue> args) => Test("math.isNaN", args, double.IsNaN);

    public static CelValue IsInf(ref CelFrame frame, ReadOnlySpan<CelValue> args) => Test("math.isInf", args, double.IsInfinity);

    public static CelValue IsFinite(ref CelFrame frame, ReadOnlySpan<CelValue> args) => Test("math.isFinite", args, double.IsFinite);

    public static CelValue Abs(ref CelFrame frame, ReadOnlySpan<CelValue> args) => args[0].Kind switch
    {
        CelKind.UInt => args[0],
        CelKind.Int => args[0].IntValue < 0 ? CelArithmetic.Negate(args[0]) : args[0],
        CelKind.Double => CelValue.From(Math.Abs(args[0].DoubleValue)),
        _ => CelError.NoOverload("math.abs", args),
    };

    public static CelValue Sign(ref CelFrame frame, ReadOnlySpan<CelValue> args) => args[0].Kind switch
    {
        CelKind.UInt => CelValue.From(args[0].UIntValue == 0 ? 0UL : 1UL),
        CelKind.Int => CelValue.From((long)Math.Sign(args[0].IntValue)),
        CelKind.Double => CelValue.From(double.IsNaN(args[0].DoubleValue) ? double.NaN : Math.Sign(args[0].DoubleValue)),
        _ => CelError.NoOverload("math.sign", args),
    };

    public static CelValue BitAnd(ref CelFrame frame, ReadOnlySpan<CelValue> args) => OnBits("math.bitAnd", args, static (a, b) => a & b);

    public static CelValue BitOr(ref CelFrame frame, ReadOnlySpan<CelValue> args) => OnBits("math.bitOr", args, static (a, b) => a | b);

    public static CelValue BitXor(ref CelFrame frame, ReadOnlySpan<CelValue> args) => OnBits("math.bitXor", args, static (a, b) => a ^ b);

    public static CelValue BitNot(ref CelFrame frame, ReadOnlySpan<CelValue> args) => args[0].Kind switch
    {
        CelKind.Int => CelValue.From(~args[0].IntValue),
        CelKind.UInt => CelValue.From(~args[0].UIntValue),
        _ => CelError.NoOverload("math.bitNot", args),
    };

    public static CelValue BitShiftLeft(ref CelFrame frame, ReadOnlySpan<CelValue> args) => Shift("math.bitShiftLeft", args, left: true);

    public static CelValue BitShiftRight(ref CelFrame frame, ReadOnlySpan<CelValue> args) => Shift("math.bitShiftRight", args, left: false);

    private static CelValue OnDouble(string name, ReadOnlySpan<CelValue> args, Func<double, double> body) =>
        args[0].Kind == CelKind.Double ? CelValue.From(body(args[0].DoubleValue)) : args[0].IsNumber ? args[0] : CelError.NoOverload(name, args);

    private static CelValue Test(string name, ReadOnlySpan<CelValue> args, Func<double, bool> body) =>
        args[0].Kind == CelKind.Double ? CelValue.From(body(args[0].DoubleValue)) : CelError.NoOverload(name, args);

    private static CelValue OnBits(string name, ReadOnlySpan<CelValue> args, Func<ulong, ulong, ulong> body)
    {
        if (args[0].Kind != args[1].Kind || args[0].Kind is not (CelKind.Int or CelKind.UInt))
            return CelError.NoOverload(name, args);
        var bits = body(args[0].UIntValue, args[1].UIntValue);
        return args[0].Kind == CelKind.Int ? CelValue.From(unchecked((long)bits)) : CelValue.From(bits);
    }

    /// <summary>Shifts in zeros on both sides, also for a negative int.</summary>
    private static CelValue Shift(string name, ReadOnlySpan<CelValue> args, bool left)
    {
        if (args[0].Kind is not (CelKind.Int or CelKind.UInt) || args[1].Kind != CelKind.Int)
            return CelError.NoOverload(name, args);
        var by = args[1].IntValue;
        if (by < 0)
            return CelValue.Error($"{name}: negative offset {by}");
        var bits = by >= 64 ? 0 : left ? args[0].UIntValue << (int)by : args[0].UIntValue >> (int)by;
        return args[0].Kind == CelKind.Int ? CelValue.From(unchecked((long)bits)) : CelValue.From(bits);
    }

    private static CelValue Extreme(string name, ReadOnlySpan<CelValue> args, int sign, ref CelFrame frame)
    {
        if (args.Length == 1 && args[0].Kind == CelKind.List)
        {
            frame.Enter();
            frame.Charge(args[0].ListValue.Count);
            var items = args[0].ListValue.Enumerate().ToArray();
            return items.Length == 0 ? CelValue.Error($"{name}: the list is empty") : Extreme(name, items, sign, ref frame);
        }

        var best = args[0];
        foreach (ref readonly var candidate in args)
        {
            if (!candidate.IsNumber)
                return CelError.NoOverload(name, args.Length > 4 ? args[..4] : args);
            if (CelNumber.Compare(candidate, best) * sign > 0)
                best = candidate;
        }

        return best;
    }
}

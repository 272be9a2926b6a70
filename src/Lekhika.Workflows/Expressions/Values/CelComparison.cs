namespace Lekhika.Workflows.Expressions;

/// <summary>Equality, order and hashing of values. Walking deep values is charged to the evaluation.</summary>
internal static class CelComparison
{
    public static bool AreEqual(in CelValue a, in CelValue b, ref CelFrame frame)
    {
        if (a.Kind == CelKind.List && b.Kind == CelKind.List)
            return AreEqual(a.ListValue, b.ListValue, ref frame);
        if (a.Kind == CelKind.Map && b.Kind == CelKind.Map)
            return AreEqual(a.MapValue, b.MapValue, ref frame);
        if (a.Kind == CelKind.String && b.Kind == CelKind.String)
            frame.ChargeText(Math.Min(a.StringValue.Length, b.StringValue.Length));
        return AreEqualScalars(a, b);
    }

    public static bool AreEqualScalars(in CelValue a, in CelValue b)
    {
        if (a.Kind != b.Kind)
            return a.IsNumber && b.IsNumber && CelNumber.Compare(a, b) == 0;
        return a.Kind switch
        {
            CelKind.Null => true,
            CelKind.Bool or CelKind.Int or CelKind.UInt => a.IntValue == b.IntValue,
            CelKind.Double => a.DoubleValue == b.DoubleValue,
            CelKind.String => string.Equals(a.StringValue, b.StringValue, StringComparison.Ordinal),
            CelKind.Bytes => a.BytesValue.AsSpan().SequenceEqual(b.BytesValue),
            CelKind.Timestamp or CelKind.Duration => a.TimeValue == b.TimeValue,
            CelKind.Type => string.Equals(a.TypeValue.Name, b.TypeValue.Name, StringComparison.Ordinal),
            _ => false,
        };
    }

    /// <summary>The order of two values; null if they have none, <paramref name="comparable"/> tells a NaN from kinds that do not compare.</summary>
    public static int? Compare(in CelValue a, in CelValue b, out bool comparable, ref CelFrame frame)
    {
        comparable = true;
        if (a.IsNumber && b.IsNumber)
            return CelNumber.Compare(a, b);
        if (a.Kind == b.Kind)
        {
            switch (a.Kind)
            {
                case CelKind.Bool:
                    return a.IntValue.CompareTo(b.IntValue);
                case CelKind.String:
                    frame.ChargeText(Math.Min(a.StringValue.Length, b.StringValue.Length));
                    return CodePoints.Compare(a.StringValue, b.StringValue);
                case CelKind.Bytes:
                    frame.ChargeText(Math.Min(a.BytesValue.Length, b.BytesValue.Length));
                    return a.BytesValue.AsSpan().SequenceCompareTo(b.BytesValue);
                case CelKind.Timestamp or CelKind.Duration:
                    return a.TimeValue.CompareTo(b.TimeValue);
            }
        }

        comparable = false;
        return null;
    }

    /// <summary>Agrees with equality: numbers of equal value hash alike.</summary>
    public static int Hash(in CelValue value) => value.Kind switch
    {
        CelKind.Int or CelKind.UInt or CelKind.Double => CelNumber.ToDouble(value).GetHashCode(),
        CelKind.Bool => value.IsTrue ? 1 : 2,
        CelKind.String => value.StringValue.GetHashCode(StringComparison.Ordinal),
        CelKind.Timestamp or CelKind.Duration => value.TimeValue.GetHashCode(),
        CelKind.Type => value.TypeValue.Name.GetHashCode(StringComparison.Ordinal),
        CelKind.Bytes => value.BytesValue.Length,
        CelKind.List or CelKind.Map => value.Count,
        _ => 0,
    };

    private static bool AreEqual(CelList a, CelList b, ref CelFrame frame)
    {
        frame.Enter();
        if (a.Count != b.Count)
            return false;
        var (left, right) = (default(CelCursor), default(CelCursor));
        while (a.Next(ref left, out var x) && b.Next(ref right, out var y))
        {
            frame.Charge();
            if (!AreEqual(x, y, ref frame))
                return false;
        }

        return true;
    }

    private static bool AreEqual(CelMap a, CelMap b, ref CelFrame frame)
    {
        frame.Enter();
        if (a.Count != b.Count)
            return false;
        var cursor = default(CelCursor);
        while (a.Next(ref cursor, out var key, out var x))
        {
            frame.Charge();
            if (!b.TryGet(key, out var y) || !AreEqual(x, y, ref frame))
                return false;
        }

        return true;
    }
}

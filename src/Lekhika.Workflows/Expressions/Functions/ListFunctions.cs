namespace Lekhika.Workflows.Expressions;

/// <summary><c>size</c> and the list and set extensions.</summary>
internal static class ListFunctions
{
    private const long LongestRange = 1_000_000;

    public static CelValue Size(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        switch (args[0].Kind)
        {
            case CelKind.String:
                frame.ChargeText(args[0].StringValue.Length);
                return CelValue.From((long)CodePoints.Count(args[0].StringValue));
            case CelKind.Bytes:
                return CelValue.From((long)args[0].BytesValue.Length);
            case CelKind.List or CelKind.Map:
                return CelValue.From((long)args[0].Count);
            default:
                return CelError.NoOverload("size", args);
        }
    }

    public static CelValue Reverse(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        if (args[0].Kind == CelKind.String)
        {
            frame.ChargeNew(args[0].StringValue.Length);
            return CelValue.From(CodePoints.Reverse(args[0].StringValue));
        }

        if (args[0].Kind != CelKind.List)
            return CelError.NoOverload("reverse", args);
        var items = Items(args[0], ref frame);
        Array.Reverse(items);
        return frame.NewList(items);
    }

    public static CelValue Slice(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        if (args[0].Kind != CelKind.List || args[1].Kind != CelKind.Int || args[2].Kind != CelKind.Int)
            return CelError.NoOverload("slice", args);
        var (start, end, count) = (args[1].IntValue, args[2].IntValue, args[0].Count);
        if (start < 0 || end < 0)
            return CelValue.Error($"slice({start}, {end}): negative indexes are not supported");
        if (start > end)
            return CelValue.Error($"slice({start}, {end}): the start must not be after the end");
        if (end > count)
            return CelValue.Error($"slice({start}, {end}): the list has {count} elements");
        return frame.NewList(Items(args[0], ref frame)[(int)start..(int)end]);
    }

    public static CelValue Flatten(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        if (args[0].Kind != CelKind.List || (args.Length == 2 && args[1].Kind != CelKind.Int))
            return CelError.NoOverload("flatten", args);
        var depth = args.Length == 2 ? args[1].IntValue : 1;
        if (depth < 0)
            return CelValue.Error("flatten: the level must not be negative");
        var flat = new List<CelValue>();
        FlattenInto(flat, args[0].ListValue, depth, ref frame);
        return frame.NewList([.. flat]);
    }

    public static CelValue Distinct(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        if (args[0].Kind != CelKind.List)
            return CelError.NoOverload("distinct", args);
        var kept = new List<CelValue>();
        var scalars = new HashSet<CelValue>();
        var cursor = default(CelCursor);
        while (args[0].ListValue.Next(ref cursor, out var item))
        {
            frame.Charge();
            var isNew = item.Kind is CelKind.List or CelKind.Map ? !IsAmong(kept, item, ref frame) : scalars.Add(item);
            if (isNew)
                kept.Add(item);
        }

        return frame.NewList([.. kept]);
    }

    public static CelValue Sort(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        if (args[0].Kind != CelKind.List)
            return CelError.NoOverload("sort", args);
        var items = Items(args[0], ref frame);
        return SortBy(items, (CelValue[])items.Clone(), ref frame);
    }

    /// <summary>Sorts <paramref name="items"/> by <paramref name="keys"/>, stably.</summary>
    public static CelValue SortBy(CelValue[] keys, CelValue[] items, ref CelFrame frame)
    {
        var longest = 0L;
        for (var i = 0; i < keys.Length; i++)
        {
            if (keys[i].Kind is CelKind.List or CelKind.Map or CelKind.Null or CelKind.Type)
                return CelValue.Error($"sort: {CelType.Of(keys[i]).Name} has no order");
            if (keys[i].Kind != keys[0].Kind && !(keys[i].IsNumber && keys[0].IsNumber))
                return CelValue.Error($"sort: {CelType.Of(keys[0]).Name} and {CelType.Of(keys[i]).Name} do not compare");
            longest = Math.Max(longest, keys[i].Weight);
        }

        // Paid before, because the order is found by a library that cannot be stopped.
        frame.Charge(keys.Length * (1L + (long)Math.Log2(keys.Length + 1)) * (1 + (longest / 64)));
        var order = Enumerable.Range(0, keys.Length).ToArray();
        Array.Sort(order, (a, b) => Compare(keys[a], keys[b]) is var sign && sign != 0 ? sign : a.CompareTo(b));
        return frame.NewList(Array.ConvertAll(order, at => items[at]));
    }

    public static CelValue First(ref CelFrame frame, ReadOnlySpan<CelValue> args) => End("first", args, last: false);

    public static CelValue Last(ref CelFrame frame, ReadOnlySpan<CelValue> args) => End("last", args, last: true);

    public static CelValue Range(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        if (args[0].Kind != CelKind.Int)
            return CelError.NoOverload("lists.range", args);
        var count = args[0].IntValue;
        if (count is < 0 or > LongestRange)
            return CelValue.Error($"lists.range({count}): takes 0 to {LongestRange}");
        frame.Charge(count);
        var items = new CelValue[count];
        for (var i = 0L; i < count; i++)
            items[i] = CelValue.From(i);
        return frame.NewList(items);
    }

    public static CelValue SetContains(ref CelFrame frame, ReadOnlySpan<CelValue> args) =>
        AreLists(args) ? CelValue.From(ContainsAll(args[0], args[1], ref frame)) : CelError.NoOverload("sets.contains", args);

    public static CelValue SetEquivalent(ref CelFrame frame, ReadOnlySpan<CelValue> args) => AreLists(args)
        ? CelValue.From(ContainsAll(args[0], args[1], ref frame) && ContainsAll(args[1], args[0], ref frame))
        : CelError.NoOverload("sets.equivalent", args);

    public static CelValue SetIntersects(ref CelFrame frame, ReadOnlySpan<CelValue> args)
    {
        if (!AreLists(args))
            return CelError.NoOverload("sets.intersects", args);
        var cursor = default(CelCursor);
        while (args[1].ListValue.Next(ref cursor, out var item))
        {
            if (InNode.Contains(args[0].ListValue, item, ref frame))
                return CelValue.True;
        }

        return CelValue.False;
    }

    private static bool AreLists(ReadOnlySpan<CelValue> args) => args[0].Kind == CelKind.List && args[1].Kind == CelKind.List;

    private static bool ContainsAll(in CelValue list, in CelValue items, ref CelFrame frame)
    {
        var cursor = default(CelCursor);
        while (items.ListValue.Next(ref cursor, out var item))
        {
            if (!InNode.Contains(list.ListValue, item, ref frame))
                return false;
        }

        return true;
    }

    private static CelValue End(string name, ReadOnlySpan<CelValue> args, bool last)
    {
        if (args[0].Kind != CelKind.List)
            return CelError.NoOverload(name, args);
        var count = args[0].Count;
        return count == 0 ? CelValue.Error($"{name}: the list is empty") : args[0].ListValue.At(last ? count - 1 : 0);
    }

    private static int Compare(in CelValue a, in CelValue b)
    {
        var frame = CelFrame.Unlimited();
        return CelComparison.Compare(a, b, out _, ref frame) ?? CelNumber.ToDouble(a).CompareTo(CelNumber.ToDouble(b));
    }

    private static bool IsAmong(List<CelValue> items, in CelValue item, ref CelFrame frame)
    {
        foreach (var other in items)
        {
            frame.Charge();
            if (CelComparison.AreEqual(other, item, ref frame))
                return true;
        }

        return false;
    }

    private static void FlattenInto(List<CelValue> flat, CelList list, long depth, ref CelFrame frame)
    {
        frame.Enter();
        var cursor = default(CelCursor);
        while (list.Next(ref cursor, out var item))
        {
            frame.Charge();
            if (item.Kind == CelKind.List && depth > 0)
                FlattenInto(flat, item.ListValue, depth - 1, ref frame);
            else
                flat.Add(item);
        }
    }

    private static CelValue[] Items(in CelValue list, ref CelFrame frame)
    {
        frame.Charge(list.Count);
        var items = new CelValue[list.Count];
        var cursor = default(CelCursor);
        for (var i = 0; list.ListValue.Next(ref cursor, out var item); i++)
            items[i] = item;
        return items;
    }
}

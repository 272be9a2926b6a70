namespace Lekhika.Workflows.Expressions;

/// <summary>What a comprehension makes of the elements it visits.</summary>
internal enum Comprehension
{
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
    TransformMap,
    TransformMapEntry,
    SortBy,
}

/// <summary>
/// The macros that visit a list or map. With one variable it is the element or key; with two, index and element or key and value.
/// </summary>
/// <param name="position">Offset.</param>
/// <param name="kind">What is made.</param>
/// <param name="range">What is visited.</param>
/// <param name="first">The slot of the first variable.</param>
/// <param name="second">The slot of the second variable; negative for none.</param>
/// <param name="predicate">Which elements count; null for all.</param>
/// <param name="transform">What is made of an element; null for those that only test.</param>
internal sealed class ComprehensionNode(
    int position, Comprehension kind, CelNode range, int first, int second, CelNode? predicate, CelNode? transform) : CelNode(position)
{
    public override CelValue Evaluate(ref CelFrame frame)
    {
        frame.Enter();
        var source = range.Evaluate(ref frame);
        if (source.IsError)
            return source;
        if (source.Kind is not (CelKind.List or CelKind.Map) || (kind == Comprehension.SortBy && source.Kind != CelKind.List))
            return At(CelValue.Error($"no such overload: a macro visits a list or map, found {CelType.Of(source).Name}"));
        return kind switch
        {
            Comprehension.All or Comprehension.Exists => Quantify(source, ref frame),
            Comprehension.ExistsOne => One(source, ref frame),
            _ => Collect(source, ref frame),
        };
    }

    /// <summary>Like a long <c>&amp;&amp;</c> or <c>||</c>: an element that decides absorbs the errors of others.</summary>
    private CelValue Quantify(in CelValue source, ref CelFrame frame)
    {
        var isExists = kind == Comprehension.Exists;
        var failed = default(CelValue);
        var cursor = default(CelCursor);
        for (long index = 0; Next(source, ref cursor, index, ref frame); index++)
        {
            var test = predicate!.Evaluate(ref frame);
            if (test.Kind == CelKind.Bool)
            {
                if (test.IsTrue == isExists)
                    return test;
            }
            else if (!failed.IsError)
            {
                failed = test.IsError ? test : At(LogicNode.NotBool(isExists ? "exists" : "all", test));
            }
        }

        return failed.IsError ? failed : CelValue.From(!isExists);
    }

    private CelValue One(in CelValue source, ref CelFrame frame)
    {
        var count = 0;
        var cursor = default(CelCursor);
        for (long index = 0; Next(source, ref cursor, index, ref frame); index++)
        {
            var test = Test(ref frame);
            if (test.IsError)
                return test;
            count += test.IsTrue ? 1 : 0;
        }

        return CelValue.From(count == 1);
    }

    private CelValue Collect(in CelValue source, ref CelFrame frame)
    {
        var keys = kind is Comprehension.TransformMap or Comprehension.SortBy ? new List<CelValue>() : null;
        var values = new List<CelValue>();
        var weight = 0L;
        var cursor = default(CelCursor);
        for (long index = 0; Next(source, ref cursor, index, ref frame); index++)
        {
            var test = Test(ref frame);
            if (test.IsError)
                return test;
            if (!test.IsTrue)
                continue;
            var value = transform is null ? frame.Slots[second >= 0 ? second : first] : transform.Evaluate(ref frame);
            if (value.IsError)
                return value;

            // Checked while it grows, so that what is refused at the end has not been gathered first.
            weight += value.Weight;
            frame.CheckSize(weight);
            keys?.Add(frame.Slots[first]);
            values.Add(value);
        }

        return kind switch
        {
            Comprehension.TransformMap => At(frame.NewMap([.. keys!], [.. values])),
            Comprehension.TransformMapEntry => At(Merge(values, ref frame)),
            Comprehension.SortBy => At(ListFunctions.SortBy([.. values], [.. keys!], ref frame)),
            _ => frame.NewList([.. values]),
        };
    }

    private static CelValue Merge(List<CelValue> maps, ref CelFrame frame)
    {
        var (keys, values) = (new List<CelValue>(), new List<CelValue>());
        foreach (var map in maps)
        {
            if (map.Kind != CelKind.Map)
                return CelValue.Error($"transformMapEntry takes a map for each element, found {CelType.Of(map).Name}");
            var cursor = default(CelCursor);
            while (map.MapValue.Next(ref cursor, out var key, out var value))
            {
                frame.Charge();
                keys.Add(key);
                values.Add(value);
            }
        }

        return frame.NewMap([.. keys], [.. values]);
    }

    private CelValue Test(ref CelFrame frame)
    {
        if (predicate is null)
            return CelValue.True;
        var test = predicate.Evaluate(ref frame);
        return test.IsError || test.Kind == CelKind.Bool ? test : At(LogicNode.NotBool("the condition of a macro", test));
    }

    private bool Next(in CelValue source, ref CelCursor cursor, long index, ref CelFrame frame)
    {
        frame.Charge();
        CelValue key, value;
        if (source.Kind == CelKind.List)
        {
            if (!source.ListValue.Next(ref cursor, out value))
                return false;
            key = CelValue.From(index);
            if (second < 0)
                key = value;
        }
        else if (!source.MapValue.Next(ref cursor, out key, out value))
        {
            return false;
        }

        frame.Slots[first] = key;
        if (second >= 0)
            frame.Slots[second] = value;
        return true;
    }
}

/// <summary><c>cel.bind(name, value, body)</c>.</summary>
internal sealed class BindNode(int position, int slot, CelNode value, CelNode body) : CelNode(position)
{
    public override CelValue Evaluate(ref CelFrame frame)
    {
        frame.Enter();
        var bound = value.Evaluate(ref frame);
        if (bound.IsError)
            return bound;
        frame.Slots[slot] = bound;
        return body.Evaluate(ref frame);
    }
}

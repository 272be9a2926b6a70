using System.Runtime.InteropServices;
using System.Text.Json;

namespace Lekhika.Workflows.Expressions;

/// <summary>A list: made by an expression, or a view of a JSON array.</summary>
internal abstract class CelList
{
    public abstract int Count { get; }

    /// <summary>See <see cref="CelValue.Weight"/>.</summary>
    public abstract long Weight { get; }

    public abstract int Depth { get; }

    /// <param name="index">Must be within the list.</param>
    public abstract CelValue At(int index);

    public abstract bool Next(ref CelCursor cursor, out CelValue item);

    public IEnumerable<CelValue> Enumerate()
    {
        var cursor = default(CelCursor);
        while (Next(ref cursor, out var item))
            yield return item;
    }
}

/// <summary>Where a walk through a list or map is; walking allocates nothing but what is met.</summary>
internal struct CelCursor
{
    public int Index;
    public bool Started;
    public JsonElement.ArrayEnumerator Array;
    public JsonElement.ObjectEnumerator Object;
    public System.Collections.IEnumerator? Dictionary;
}

/// <summary>A list made by an expression.</summary>
internal sealed class CelArrayList : CelList
{
    private readonly CelValue[] _items;

    public CelArrayList(CelValue[] items)
    {
        _items = items;
        var (weight, depth) = (2L, 0);
        foreach (ref readonly var item in items.AsSpan())
        {
            weight += item.Weight + 1;
            depth = Math.Max(depth, item.Depth);
        }

        (Weight, Depth) = (weight, depth + 1);
    }

    public override int Count => _items.Length;

    public override long Weight { get; }

    public override int Depth { get; }

    public override CelValue At(int index) => _items[index];

    public override bool Next(ref CelCursor cursor, out CelValue item)
    {
        if (cursor.Index >= _items.Length)
        {
            item = default;
            return false;
        }

        item = _items[cursor.Index++];
        return true;
    }
}

/// <summary>A view of a JSON array.</summary>
internal sealed class CelJsonList(JsonElement array) : CelList
{
    public JsonElement Element => array;

    public override int Count => array.GetArrayLength();

    public override long Weight => JsonMarshal.GetRawUtf8Value(array).Length;

    public override int Depth => CelMap.JsonDepth;

    public override CelValue At(int index) => CelValue.FromJson(array[index]);

    public override bool Next(ref CelCursor cursor, out CelValue item)
    {
        if (!cursor.Started)
            (cursor.Started, cursor.Array) = (true, array.EnumerateArray());
        var more = cursor.Array.MoveNext();
        item = more ? CelValue.FromJson(cursor.Array.Current) : default;
        return more;
    }
}

using System.Runtime.InteropServices;
using System.Text.Json;

namespace Lekhika.Workflows.Expressions;

/// <summary>A map: made by an expression, or a view of a JSON object or dictionary.</summary>
internal abstract class CelMap
{
    /// <summary>What a JSON value is counted as nesting, which is what readers of JSON accept.</summary>
    public const int JsonDepth = 64;

    public abstract int Count { get; }

    /// <summary>See <see cref="CelValue.Weight"/>.</summary>
    public abstract long Weight { get; }

    public abstract int Depth { get; }

    public abstract bool TryGet(string key, out CelValue value);

    /// <summary>Looks a key of any kind up; a kind that cannot be a key is just not there.</summary>
    public virtual bool TryGet(in CelValue key, out CelValue value)
    {
        value = default;
        return key.Kind == CelKind.String && TryGet(key.StringValue, out value);
    }

    public abstract bool Next(ref CelCursor cursor, out CelValue key, out CelValue value);

    public IEnumerable<KeyValuePair<CelValue, CelValue>> Enumerate()
    {
        var cursor = default(CelCursor);
        while (Next(ref cursor, out var key, out var value))
            yield return new(key, value);
    }
}

/// <summary>A map made by an expression; keeps the order in which it was written.</summary>
internal sealed class CelEntryMap : CelMap
{
    private const int IndexedFrom = 9;

    private readonly CelValue[] _keys;
    private readonly CelValue[] _values;
    private readonly Dictionary<CelValue, int>? _index;

    private CelEntryMap(CelValue[] keys, CelValue[] values, Dictionary<CelValue, int>? index)
    {
        _keys = keys;
        _values = values;
        _index = index;
        var (weight, depth) = (2L, 0);
        for (var i = 0; i < keys.Length; i++)
        {
            weight += keys[i].Weight + values[i].Weight + 2;
            depth = Math.Max(depth, values[i].Depth);
        }

        (Weight, Depth) = (weight, depth + 1);
    }

    public override int Count => _keys.Length;

    public override long Weight { get; }

    public override int Depth { get; }

    /// <summary>Makes the map, or an error if a key repeats or is of a kind that cannot be a key.</summary>
    public static CelValue Create(CelValue[] keys, CelValue[] values)
    {
        var index = keys.Length >= IndexedFrom ? new Dictionary<CelValue, int>(keys.Length) : null;
        for (var i = 0; i < keys.Length; i++)
        {
            if (keys[i].Kind is not (CelKind.String or CelKind.Int or CelKind.UInt or CelKind.Bool))
                return CelValue.Error($"unsupported key type: {CelType.Of(keys[i]).Name}; a key is a string, int, uint or bool");
            if (index is null ? Find(keys.AsSpan(0, i), keys[i]) >= 0 : !index.TryAdd(keys[i], i))
                return CelValue.Error($"repeated key: {CelError.Shorten(keys[i].ToText())}");
        }

        return CelValue.From(new CelEntryMap(keys, values, index));
    }

    public override bool TryGet(string key, out CelValue value) => TryGet(CelValue.From(key), out value);

    public override bool TryGet(in CelValue key, out CelValue value)
    {
        var at = -1;
        if (key.Kind is CelKind.String or CelKind.Int or CelKind.UInt or CelKind.Bool or CelKind.Double)
            at = _index is null ? Find(_keys, key) : _index.GetValueOrDefault(key, -1);
        value = at >= 0 ? _values[at] : default;
        return at >= 0;
    }

    public override bool Next(ref CelCursor cursor, out CelValue key, out CelValue value)
    {
        (key, value) = (default, default);
        if (cursor.Index >= _keys.Length)
            return false;
        key = _keys[cursor.Index];
        value = _values[cursor.Index++];
        return true;
    }

    private static int Find(ReadOnlySpan<CelValue> keys, in CelValue key)
    {
        for (var i = 0; i < keys.Length; i++)
        {
            if (CelComparison.AreEqualScalars(keys[i], key))
                return i;
        }

        return -1;
    }
}

/// <summary>A view of a JSON object.</summary>
internal sealed class CelJsonMap(JsonElement element) : CelMap
{
    public JsonElement Element => element;

    public override int Count => element.GetPropertyCount();

    public override long Weight => JsonMarshal.GetRawUtf8Value(element).Length;

    public override int Depth => JsonDepth;

    public override bool TryGet(string key, out CelValue value)
    {
        value = default;
        if (!CodePoints.AreUnits(key) && !CodePoints.AreWellFormed(key))
            return false;
        var found = element.TryGetProperty(key, out var member);
        if (found)
            value = CelValue.FromJson(member);
        return found;
    }

    public override bool Next(ref CelCursor cursor, out CelValue key, out CelValue value)
    {
        if (!cursor.Started)
            (cursor.Started, cursor.Object) = (true, element.EnumerateObject());
        (key, value) = (default, default);
        if (!cursor.Object.MoveNext())
            return false;
        key = CelValue.From(JsonText.NameOf(cursor.Object.Current));
        value = CelValue.FromJson(cursor.Object.Current.Value);
        return true;
    }
}

/// <summary>A view of a dictionary.</summary>
internal sealed class CelDictionaryMap<T>(IReadOnlyDictionary<string, T> entries, Func<T, CelValue> convert) : CelMap
{
    private long _weight;
    private int _depth;

    public override int Count => entries.Count;

    public override long Weight => Measure().Weight;

    public override int Depth => Measure().Depth;

    public override bool TryGet(string key, out CelValue value)
    {
        var found = entries.TryGetValue(key, out var entry);
        value = found ? convert(entry!) : default;
        return found;
    }

    public override bool Next(ref CelCursor cursor, out CelValue key, out CelValue value)
    {
        cursor.Dictionary ??= entries.GetEnumerator();
        var enumerator = (IEnumerator<KeyValuePair<string, T>>)cursor.Dictionary;
        (key, value) = (default, default);
        if (!enumerator.MoveNext())
            return false;
        key = CelValue.From(enumerator.Current.Key);
        value = convert(enumerator.Current.Value);
        return true;
    }

    /// <summary>Measured when first needed: selecting a member needs neither, and there may be many entries.</summary>
    private (long Weight, int Depth) Measure()
    {
        var depth = Volatile.Read(ref _depth);
        if (depth > 0)
            return (Volatile.Read(ref _weight), depth);
        var weight = 2L;
        depth = 0;
        foreach (var (key, entry) in entries)
        {
            var value = convert(entry);
            weight += key.Length + value.Weight + 3;
            depth = Math.Max(depth, value.Depth);
        }

        Volatile.Write(ref _weight, weight);
        Volatile.Write(ref _depth, depth + 1);
        return (weight, depth + 1);
    }
}

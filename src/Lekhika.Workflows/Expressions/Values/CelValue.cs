using System.Diagnostics;
using System.Text.Json;

namespace Lekhika.Workflows.Expressions;

/// <summary>
/// A value in an expression. Scalars are held in the struct; lists and maps may be views of JSON, which must then outlive the value.
/// </summary>
[DebuggerDisplay("{Kind}: {ToText()}")]
public readonly partial struct CelValue : IEquatable<CelValue>
{
    /// <summary>Errors are values inside the evaluator, so that <c>||</c> and <c>&amp;&amp;</c> absorb them cheaply. They never leave it.</summary>
    private const CelKind ErrorKind = (CelKind)255;

    private readonly object? _object;
    private readonly long _bits;
    private readonly int _nanos;
    private readonly CelKind _kind;

    private CelValue(CelKind kind, long bits, object? reference = null, int nanos = 0)
    {
        _kind = kind;
        _bits = bits;
        _object = reference;
        _nanos = nanos;
    }

    /// <summary>The value's kind.</summary>
    public CelKind Kind => _kind;

    /// <summary>Whether this is <c>null</c>, which is also the default value.</summary>
    public bool IsNull => _kind == CelKind.Null;

    /// <summary>The null value.</summary>
    public static CelValue Null => default;

    /// <summary>The number of elements of a list or entries of a map; 0 for other kinds.</summary>
    public int Count => _object switch { CelList list => list.Count, CelMap map => map.Count, _ => 0 };

    /// <summary>The elements of a list; none for other kinds.</summary>
    public IEnumerable<CelValue> Items => _object is CelList list ? list.Enumerate() : [];

    /// <summary>The entries of a map, in order; none for other kinds.</summary>
    public IEnumerable<KeyValuePair<CelValue, CelValue>> Entries => _object is CelMap map ? map.Enumerate() : [];

    internal static CelValue True { get; } = new(CelKind.Bool, 1);

    internal static CelValue False { get; } = new(CelKind.Bool, 0);

    internal bool IsError => _kind == ErrorKind;

    internal bool IsTrue => _kind == CelKind.Bool && _bits != 0;

    internal bool IsFalse => _kind == CelKind.Bool && _bits == 0;

    internal bool IsNumber => _kind is CelKind.Int or CelKind.UInt or CelKind.Double;

    internal long IntValue => _bits;

    internal ulong UIntValue => unchecked((ulong)_bits);

    internal double DoubleValue => BitConverter.Int64BitsToDouble(_bits);

    internal string StringValue => (string)_object!;

    internal byte[] BytesValue => (byte[])_object!;

    internal CelList ListValue => (CelList)_object!;

    internal CelMap MapValue => (CelMap)_object!;

    internal CelType TypeValue => (CelType)_object!;

    internal CelError ErrorValue => (CelError)_object!;

    internal CelTime TimeValue => new(_bits, _nanos);

    /// <summary>What the value would take if it were written out; keeps values that share parts from growing without bound.</summary>
    internal long Weight => _object switch
    {
        null => 1,
        string text => text.Length + 1L,
        byte[] bytes => bytes.Length + 1L,
        CelList list => list.Weight,
        CelMap map => map.Weight,
        _ => 1,
    };

    internal int Depth => _object switch { CelList list => list.Depth, CelMap map => map.Depth, _ => 0 };

    /// <summary>A boolean.</summary>
    /// <param name="value">The value.</param>
    public static CelValue From(bool value) => value ? True : False;

    /// <summary>An <c>int</c>.</summary>
    /// <param name="value">The value.</param>
    public static CelValue From(int value) => new(CelKind.Int, value);

    /// <summary>An <c>int</c>.</summary>
    /// <param name="value">The value.</param>
    public static CelValue From(long value) => new(CelKind.Int, value);

    /// <summary>A <c>uint</c>.</summary>
    /// <param name="value">The value.</param>
    public static CelValue From(ulong value) => new(CelKind.UInt, unchecked((long)value));

    /// <summary>A <c>double</c>.</summary>
    /// <param name="value">The value.</param>
    public static CelValue From(double value) => new(CelKind.Double, BitConverter.DoubleToInt64Bits(value));

    /// <summary>A string; null becomes <c>null</c>.</summary>
    /// <param name="value">The value.</param>
    public static CelValue From(string? value) => value is null ? default : new(CelKind.String, 0, value);

    /// <summary>Bytes. The array must not be changed afterwards.</summary>
    /// <param name="value">The value.</param>
    public static CelValue From(byte[] value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return new(CelKind.Bytes, 0, value);
    }

    /// <summary>A timestamp.</summary>
    /// <param name="value">The value.</param>
    public static CelValue From(DateTimeOffset value)
    {
        var ticks = value.UtcTicks - DateTime.UnixEpoch.Ticks;
        var seconds = Math.DivRem(ticks, TimeSpan.TicksPerSecond, out var rest);
        return From(CelKind.Timestamp, CelTime.Normal(seconds, rest * CelTime.NanosPerTick));
    }

    /// <summary>A duration.</summary>
    /// <param name="value">The value.</param>
    public static CelValue From(TimeSpan value)
    {
        var seconds = Math.DivRem(value.Ticks, TimeSpan.TicksPerSecond, out var rest);
        return From(CelKind.Duration, CelTime.Normal(seconds, rest * CelTime.NanosPerTick));
    }

    /// <summary>A list of values.</summary>
    /// <param name="items">The elements. The list must not be changed afterwards.</param>
    public static CelValue FromList(IReadOnlyList<CelValue> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        return From(new CelArrayList(items as CelValue[] ?? [.. items]));
    }

    /// <summary>A map with string keys. The dictionary is not copied: it must not be changed while the value is used.</summary>
    /// <param name="entries">The entries.</param>
    public static CelValue FromMap(IReadOnlyDictionary<string, CelValue> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        return From(new CelDictionaryMap<CelValue>(entries, static value => value));
    }

    /// <summary>A map with string keys over JSON values. Nothing is copied: dictionary and documents must outlive the value unchanged.</summary>
    /// <param name="entries">The entries.</param>
    public static CelValue FromMap(IReadOnlyDictionary<string, JsonElement> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        return From(new CelDictionaryMap<JsonElement>(entries, FromJson));
    }

    internal static CelValue From(CelKind kind, CelTime time) => new(kind, time.Seconds, null, time.Nanos);

    internal static CelValue From(CelList list) => new(CelKind.List, 0, list);

    internal static CelValue From(CelMap map) => new(CelKind.Map, 0, map);

    internal static CelValue From(CelType type) => new(CelKind.Type, 0, type);

    internal static CelValue Error(CelError error) => new(ErrorKind, 0, error);

    internal static CelValue Error(string message) => new(ErrorKind, 0, new CelError(message));

    /// <summary>Reads a boolean.</summary>
    /// <param name="value">The value.</param>
    /// <returns>False if this is of another kind.</returns>
    public bool TryGetBool(out bool value)
    {
        value = IsTrue;
        return _kind == CelKind.Bool;
    }

    /// <summary>Reads a number that is integral and fits.</summary>
    /// <param name="value">The value.</param>
    /// <returns>False if this is no such number.</returns>
    public bool TryGetInt64(out long value)
    {
        value = _bits;
        if (_kind == CelKind.Int || (_kind == CelKind.UInt && _bits >= 0))
            return true;
        return _kind == CelKind.Double && CelNumber.TryToInt64(DoubleValue, out value);
    }

    /// <summary>Reads a number of any kind as a double.</summary>
    /// <param name="value">The value.</param>
    /// <returns>False if this is no number.</returns>
    public bool TryGetDouble(out double value)
    {
        value = IsNumber ? CelNumber.ToDouble(this) : 0;
        return IsNumber;
    }

    /// <summary>Reads a string.</summary>
    /// <param name="value">The value; null if this is of another kind.</param>
    /// <returns>False if this is of another kind.</returns>
    public bool TryGetString([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string? value)
    {
        value = _kind == CelKind.String ? StringValue : null;
        return value is not null;
    }

    /// <summary>Takes a member of a map.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The member's value.</param>
    /// <returns>False if this is no map or has no such key.</returns>
    public bool TryGetMember(string key, out CelValue value)
    {
        value = default;
        return _object is CelMap map && map.TryGet(key, out value);
    }

    /// <summary>Equality as <c>==</c> has it: <c>1 == 1.0 == 1u</c>, lists and maps by their elements.</summary>
    /// <param name="other">The other value.</param>
    public bool Equals(CelValue other)
    {
        var frame = CelFrame.Unlimited();
        return CelComparison.AreEqual(this, other, ref frame);
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is CelValue other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => CelComparison.Hash(this);

    /// <summary>Equality as <c>==</c> has it.</summary>
    public static bool operator ==(CelValue left, CelValue right) => left.Equals(right);

    /// <summary>The opposite of <c>==</c>.</summary>
    public static bool operator !=(CelValue left, CelValue right) => !left.Equals(right);

    /// <inheritdoc cref="ToText"/>
    public override string ToString() => ToText();
}

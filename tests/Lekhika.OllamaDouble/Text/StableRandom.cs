namespace Lekhika.Doubles;

/// <summary>A small generator (xorshift) whose numbers follow from the seed alone, on every machine.</summary>
internal sealed class StableRandom(ulong seed)
{
    private ulong _state = seed == 0 ? 0x9E3779B97F4A7C15 : seed;

    /// <summary>FNV-1a over the UTF-16 units.</summary>
    public static ulong Seed(ReadOnlySpan<char> text, ulong salt = 0)
    {
        var hash = 14695981039346656037UL ^ salt;
        foreach (var unit in text)
            hash = (hash ^ unit) * 1099511628211UL;
        return hash;
    }

    public int Next(int limit)
    {
        _state ^= _state << 13;
        _state ^= _state >> 7;
        _state ^= _state << 17;
        return (int)(_state % (ulong)limit);
    }

    public double Fraction() => Next(1 << 24) / (double)(1 << 24);
}

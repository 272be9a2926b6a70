using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Caching.Memory;

namespace Lekhika.Daemon.Nodes;

/// <summary>
/// What was made of texts, by their hash. Bounded by the texts' size, of which what is made of them is a multiple: when it is full, something that was not
/// used lately goes, and something new may be refused, which costs making it again and nothing else.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Replaced while others may still be adding; the cache holds nothing but memory.")]
internal sealed class ContentCache<T>
    where T : class
{
    private const long MostBytes = 4 * 1024 * 1024;

    // What a small definition takes besides its text, so that there are not too many of them.
    private const long Overhead = 4096;

    private readonly MemoryCache _cache = new(new MemoryCacheOptions { SizeLimit = MostBytes });

    public T? Find(Guid hash) => _cache.TryGetValue(hash, out T? value) ? value : null;

    /// <summary>Keeps <paramref name="value"/>, if there is room.</summary>
    /// <param name="hash">Of the text.</param>
    /// <param name="bytes">The text's size.</param>
    /// <param name="value">What was made of it.</param>
    public T Add(Guid hash, long bytes, T value)
    {
        _cache.Set(hash, value, new MemoryCacheEntryOptions { Size = bytes + Overhead });
        return value;
    }
}

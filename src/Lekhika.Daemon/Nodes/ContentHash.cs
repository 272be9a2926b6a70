using System.Security.Cryptography;

namespace Lekhika.Daemon.Nodes;

/// <summary>The first half of a text's SHA-256: two texts of the same hash are the same text.</summary>
internal static class ContentHash
{
    public static Guid Of(ReadOnlySpan<byte> utf8)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(utf8, hash);
        return new Guid(hash[..16], bigEndian: true);
    }
}

using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Lekhika.Daemon.Nodes;

/// <summary>Ids that are the same whenever they are made: UUID version 5 (RFC 9562) of a namespace and a name.</summary>
internal static class DerivedId
{
    /// <summary>Id of the execution that an attempt of a step starts, within the namespace of its parent.</summary>
    public static Guid OfChild(Guid parent, string stepKey, int run, int attempt) => Of(
        parent,
        attempt == 1
            ? string.Create(CultureInfo.InvariantCulture, $"{stepKey}:{run}")
            : string.Create(CultureInfo.InvariantCulture, $"{stepKey}:{run}:{attempt}"));

    [SuppressMessage("Security", "CA5350", Justification = "Version 5 is defined with SHA-1; nothing secret depends on it.")]
    public static Guid Of(Guid space, string name)
    {
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        SHA1.HashData([.. space.ToByteArray(bigEndian: true), .. Encoding.UTF8.GetBytes(name)], hash);
        hash[6] = (byte)((hash[6] & 0x0F) | 0x50);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash[..16], bigEndian: true);
    }
}

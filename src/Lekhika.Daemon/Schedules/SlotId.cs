using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Lekhika.Daemon.Schedules;

/// <summary>The id of a slot's execution: a UUID of version 5 with the schedule's id as its namespace. Every daemon comes to the same one.</summary>
internal static class SlotId
{
    /// <summary>The name within the namespace is the slot in UTC, as in <c>2026-11-22T09:00:00Z</c>.</summary>
    [SuppressMessage("Security", "CA5350", Justification = "Version 5 is defined by SHA-1; nothing secret depends on it.")]
    public static Guid Of(Guid schedule, DateTimeOffset slot)
    {
        var name = slot.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        Span<byte> text = stackalloc byte[16 + 20];
        schedule.TryWriteBytes(text, bigEndian: true, out _);
        Encoding.ASCII.GetBytes(name, text[16..]);
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        SHA1.HashData(text, hash);
        hash[6] = (byte)((hash[6] & 0x0F) | 0x50);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash[..16], bigEndian: true);
    }
}

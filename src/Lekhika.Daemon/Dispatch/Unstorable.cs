using System.Runtime.InteropServices;
using System.Text.Json;

namespace Lekhika.Daemon.Dispatch;

/// <summary>Finds what JSON may hold and PostgreSQL's jsonb may not: <c>\u0000</c> and lone surrogates.</summary>
internal static class Unstorable
{
    public static bool IsIn(JsonElement element)
    {
        var raw = JsonMarshal.GetRawUtf8Value(element);
        for (var at = raw.IndexOf("\\u"u8); at >= 0;)
        {
            if (IsEscape(raw, at) && (raw[(at + 2)..].StartsWith("0000"u8) || IsLoneSurrogate(raw, at))) return true;
            var next = raw[(at + 2)..].IndexOf("\\u"u8);
            at = next < 0 ? -1 : at + 2 + next;
        }

        return false;
    }

    /// <summary>An even number of backslashes in front: this one begins an escape.</summary>
    private static bool IsEscape(ReadOnlySpan<byte> raw, int at)
    {
        var before = 0;
        while (at - before > 0 && raw[at - before - 1] == (byte)'\\') before++;
        return before % 2 == 0;
    }

    private static bool IsLoneSurrogate(ReadOnlySpan<byte> raw, int at)
    {
        if (!TryUnit(raw, at, out var unit) || !char.IsSurrogate(unit)) return false;
        if (char.IsHighSurrogate(unit)) return !(TryUnit(raw, at + 6, out var low) && char.IsLowSurrogate(low));
        return !(at >= 6 && TryUnit(raw, at - 6, out var high) && char.IsHighSurrogate(high));
    }

    private static bool TryUnit(ReadOnlySpan<byte> raw, int at, out char unit)
    {
        unit = default;
        if (at < 0 || at + 6 > raw.Length || raw[at] != (byte)'\\' || raw[at + 1] != (byte)'u') return false;
        if (!System.Buffers.Text.Utf8Parser.TryParse(raw.Slice(at + 2, 4), out ushort value, out var consumed, 'x') || consumed != 4) return false;
        unit = (char)value;
        return true;
    }
}

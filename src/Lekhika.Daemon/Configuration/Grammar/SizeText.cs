using System.Globalization;

namespace Lekhika.Daemon.Configuration;

/// <summary>Sizes as text: <c>512KB</c>, <c>50MB</c>, <c>1GB</c>, or a plain number of bytes. Units are powers of 1024, as in PostgreSQL.</summary>
internal static class SizeText
{
    /// <summary>The form, for messages and documentation.</summary>
    public const string Form = "a size such as 512KB, 50MB or 1GB (a plain number means bytes; 1KB = 1024 bytes)";

    private static readonly (string Suffix, long Bytes)[] Units =
    [
        ("B", 1), ("KB", 1L << 10), ("MB", 1L << 20), ("GB", 1L << 30),
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30),
    ];

    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        var digits = text.AsSpan().TrimEnd("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
        var suffix = text.AsSpan(digits.Length);
        var scale = suffix.IsEmpty ? 1 : ScaleOf(suffix);
        const NumberStyles style = NumberStyles.AllowDecimalPoint | NumberStyles.AllowTrailingWhite;
        if (scale == 0 || !decimal.TryParse(digits, style, CultureInfo.InvariantCulture, out var number) || number > 1L << 40)
        {
            return false;
        }

        var exact = number * scale;
        bytes = exact <= long.MaxValue ? (long)exact : 0;
        return exact <= long.MaxValue && exact == bytes;
    }

    /// <summary>The shortest exact form, in the largest unit that divides it.</summary>
    public static string Format(long bytes)
    {
        for (var i = 3; i > 0; i--)
        {
            if (bytes != 0 && bytes % Units[i].Bytes == 0)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{bytes / Units[i].Bytes}{Units[i].Suffix}");
            }
        }

        return bytes.ToString(CultureInfo.InvariantCulture);
    }

    private static long ScaleOf(ReadOnlySpan<char> suffix)
    {
        foreach (var (name, bytes) in Units)
        {
            if (suffix.Equals(name, StringComparison.OrdinalIgnoreCase))
            {
                return bytes;
            }
        }

        return 0;
    }
}

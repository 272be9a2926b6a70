using System.Globalization;

namespace Lekhika.Doubles;

/// <summary>Timestamps as Go prints them: UTC, nanoseconds, trailing zeros dropped.</summary>
internal static class GoTime
{
    public static string Now(TimeProvider time) => Format(time.GetUtcNow(), time);

    /// <summary>The clock gives steps of 100 ns; the last two digits come from the high-resolution counter.</summary>
    public static string Format(DateTimeOffset moment, TimeProvider time)
    {
        var nanoseconds = (moment.UtcTicks % TimeSpan.TicksPerSecond * 100) + (time.GetTimestamp() % 100);
        var seconds = moment.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture);
        if (nanoseconds == 0)
            return seconds + "Z";
        return seconds + "." + nanoseconds.ToString("D9", CultureInfo.InvariantCulture).TrimEnd('0') + "Z";
    }
}

using System.Globalization;
using System.Text;
using Quartz;

namespace Lekhika.Daemon.Schedules;

/// <summary>
/// A cron expression as times of a wall clock, without a zone. Five fields (minute, hour, day of month, month, day of week) or six (a second before
/// them); in both, days of the week are numbered as in Unix: 0 and 7 are Sunday. Also <c>@hourly</c>, <c>@daily</c>, <c>@midnight</c>, <c>@weekly</c>,
/// <c>@monthly</c>, <c>@yearly</c>, <c>@annually</c>, and in the fields of days Quartz's L, W and #.
///
/// Both fields of days given: a day fits if either says so, unless one is written with <c>*</c> first (<c>*/2</c>): then both must. So does Unix.
///
/// The text is read here, strictly and with reasons; the calendar is Quartz's, which is handed plain lists of numbers.
/// </summary>
internal sealed class CronTimes
{
    private const int MaxLength = 200;
    private static readonly TimeSpan Horizon = TimeSpan.FromDays(366 * 30);
    private readonly CronExpression[] _expressions;
    private readonly Func<DateTime, bool>? _filter;

    private CronTimes(CronExpression[] expressions, Func<DateTime, bool>? filter, bool isInterval, bool isEveryHour)
    {
        (_expressions, _filter, IsInterval, IsEveryHour) = (expressions, filter, isInterval, isEveryHour);
    }

    /// <summary>Whether it is a rhythm (<c>*</c> or a step in second, minute or hour) rather than fixed times of a day.</summary>
    public bool IsInterval { get; }

    /// <summary>Whether it runs in every hour of the clock.</summary>
    public bool IsEveryHour { get; }

    /// <summary>Reads an expression.</summary>
    /// <returns>The times, or what is wrong: what, where, what was expected.</returns>
    public static (CronTimes? Times, string? Problem) Read(string text)
    {
        if (text.Length > MaxLength) return (null, string.Create(CultureInfo.InvariantCulture, $"it has {text.Length} characters; at most {MaxLength} are read"));
        var trimmed = text.Trim();
        if (trimmed.StartsWith('@'))
        {
            if (Named(trimmed) is not { } meant)
            {
                return (null, $"\"{trimmed}\" is not known; expected @hourly, @daily, @weekly, @monthly or @yearly, or five fields such as \"*/15 * * * *\"");
            }

            trimmed = meant;
        }

        var parts = trimmed.Split(default(char[]), StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length is not (5 or 6))
        {
            return (null, string.Create(CultureInfo.InvariantCulture, $"it has {parts.Length} {(parts.Length == 1 ? "field" : "fields")}; ")
                + "expected five (minute, hour, day of month, month, day of week) or six (a second before them), such as \"0 9 * * MON-FRI\"");
        }

        return ReadFields(parts.Length == 5 ? ["0", .. parts] : parts);
    }

    /// <summary>The first time after <paramref name="wall"/>; null if there is none in thirty years.</summary>
    public DateTime? After(DateTime wall)
    {
        var end = wall + Horizon;
        for (var from = wall; from < end;)
        {
            DateTime? next = null;
            foreach (var expression in _expressions)
            {
                if (expression.GetTimeAfter(new DateTimeOffset(from, TimeSpan.Zero)) is { } time && (next is null || time.DateTime < next)) next = time.DateTime;
            }

            if (next is not { } found || found > end) return null;
            if (_filter is null || _filter(found)) return found;
            from = found.Date.AddDays(1).AddSeconds(-1);
        }

        return null;
    }

    private static string? Named(string name) => name.ToLowerInvariant() switch
    {
        "@hourly" => "0 * * * *",
        "@daily" or "@midnight" => "0 0 * * *",
        "@weekly" => "0 0 * * 0",
        "@monthly" => "0 0 1 * *",
        "@yearly" or "@annually" => "0 0 1 1 *",
        _ => null,
    };

    private static (CronTimes? Times, string? Problem) ReadFields(string[] parts)
    {
        CronFieldKind[] kinds =
            [CronFieldKind.Second, CronFieldKind.Minute, CronFieldKind.Hour, CronFieldKind.DayOfMonth, CronFieldKind.Month, CronFieldKind.DayOfWeek];
        var fields = new CronField[kinds.Length];
        for (var i = 0; i < kinds.Length; i++)
        {
            var (field, problem) = CronField.Read(parts[i], kinds[i]);
            if (field is null) return (null, problem);
            fields[i] = field;
        }

        var (second, minute, hour, date, month, week) = (fields[0], fields[1], fields[2], fields[3], fields[4], fields[5]);
        var clock = $"{List(second)} {List(minute)} {List(hour)}";
        var byDate = Expression($"{clock} {date.Special ?? List(date)} {List(month)} ?");
        var byWeek = week.IsAny ? null : Expression($"{clock} ? {List(month)} {week.Special ?? List(week, 1)}");
        CronExpression[] expressions = byWeek is null ? [byDate] : date.HasStar ? [byWeek] : week.HasStar ? [byDate] : [byDate, byWeek];
        Func<DateTime, bool>? filter = byWeek is null || date.IsAny ? null
            : date.HasStar ? day => date.Has(day.Day)
            : week.HasStar ? day => week.Has((int)day.DayOfWeek)
            : null;
        var times = new CronTimes(expressions, filter, second.IsInterval || minute.IsInterval || hour.IsInterval, hour.IsAny);
        return times.After(new DateTime(2024, 1, 1, 0, 0, 0, DateTimeKind.Unspecified)) is null
            ? (null, $"no day ever fits day of month \"{parts[3]}\" with month \"{parts[4]}\"; expected a date that exists")
            : (times, null);
    }

    private static CronExpression Expression(string text) => new(text) { TimeZone = TimeZoneInfo.Utc };

    /// <summary>The values one by one: nothing is left to how another program reads ranges and steps.</summary>
    private static string List(CronField field, int plus = 0)
    {
        if (field.IsAny) return "*";
        var list = new StringBuilder();
        for (var value = 0; value < 60; value++)
        {
            if (field.Has(value)) list.Append(list.Length > 0 ? "," : "").Append(CultureInfo.InvariantCulture, $"{value + plus}");
        }

        return list.ToString();
    }
}

using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Lekhika.Daemon.Diagnostics;

// journal    <6>Dispatch: Execution started ExecutionId=5f0c… NodeId=draft
// pipe       2026-11-22T04:13:46.123+00:00 info  Dispatch: Execution started ExecutionId=5f0c… NodeId=draft
// terminal   04:13:46 info  Execution started ExecutionId=5f0c… NodeId=draft            (level coloured; stack traces on lines of their own)
//
// In a journal or a pipe an event is one line whatever it holds: line breaks are written as \n, so that nothing that came
// from outside can pass for an event of its own.

/// <summary>Writes one log event as text, with the line break at its end.</summary>
internal sealed class LogLine(ConsoleTarget target, bool hasColour)
{
    public string Format(
        DateTimeOffset time, LogLevel level, string category, string message, IReadOnlyList<(string Name, string Value)> fields, Exception? exception)
    {
        var line = new StringBuilder();
        switch (target)
        {
            case ConsoleTarget.Journal:
                line.Append('<').Append(Priority(level)).Append('>').Append(Short(category)).Append(": ");
                break;
            case ConsoleTarget.Pipe:
                line.Append(time.ToString("yyyy-MM-dd'T'HH:mm:ss.fffzzz", CultureInfo.InvariantCulture)).Append(' ')
                    .Append(Word(level)).Append(' ').Append(Short(category)).Append(": ");
                break;
            default:
                line.Append(time.ToString("HH:mm:ss", CultureInfo.InvariantCulture)).Append(' ')
                    .Append(hasColour ? $"\e[{Colour(level)}m{Word(level)}\e[0m" : Word(level)).Append(' ');
                break;
        }

        AppendEscaped(line, message);
        foreach (var (name, value) in fields)
        {
            line.Append(' ').Append(name).Append('=');
            AppendValue(line, value);
        }

        if (exception is not null)
        {
            if (target == ConsoleTarget.Terminal)
            {
                line.Append("\n         ");
                AppendPrintable(line, exception.ToString().ReplaceLineEndings("\n         "));
            }
            else
            {
                line.Append(" | ");
                AppendEscaped(line, exception.ToString());
            }
        }

        return line.Append('\n').ToString();
    }

    /// <summary>syslog's priority of a level.</summary>
    internal static char Priority(LogLevel level) => level switch
    {
        LogLevel.Critical => '2',
        LogLevel.Error => '3',
        LogLevel.Warning => '4',
        LogLevel.Information => '6',
        _ => '7',
    };

    private static string Word(LogLevel level) => level switch
    {
        LogLevel.Critical => "crit ",
        LogLevel.Error => "error",
        LogLevel.Warning => "warn ",
        LogLevel.Information => "info ",
        LogLevel.Debug => "debug",
        _ => "trace",
    };

    private static int Colour(LogLevel level) => level switch
    {
        LogLevel.Critical or LogLevel.Error => 31,
        LogLevel.Warning => 33,
        LogLevel.Information => 32,
        _ => 90,
    };

    // Namespaces say where the code is; the last name is enough to find it.
    private static ReadOnlySpan<char> Short(string category) => category.AsSpan(category.LastIndexOf('.') + 1);

    private static void AppendValue(StringBuilder line, string value)
    {
        if (value.Length > 0 && !value.AsSpan().ContainsAny(' ', '"', '='))
        {
            AppendEscaped(line, value);
            return;
        }

        line.Append('"');
        AppendEscaped(line, value.Replace("\"", "\\\"", StringComparison.Ordinal));
        line.Append('"');
    }

    // Control characters are written out, escape sequences for terminals among them.
    private static void AppendEscaped(StringBuilder line, string text)
    {
        foreach (var character in text)
        {
            _ = character switch
            {
                '\n' => line.Append("\\n"),
                '\r' => line.Append("\\r"),
                '\t' => line.Append("\\t"),
                _ when char.IsControl(character) || character is '\u2028' or '\u2029' => line.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}"),
                _ => line.Append(character),
            };
        }
    }

    private static void AppendPrintable(StringBuilder line, string text)
    {
        foreach (var character in text)
        {
            line.Append(char.IsControl(character) && character != '\n' ? ' ' : character);
        }
    }
}

using System.Globalization;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Diagnostics;
using Lekhika.Workflows.Validation;

namespace Lekhika.Daemon.Cli;

/// <summary>Writes errors and warnings to standard error, one a line, dressed for what reads it.</summary>
internal static class ProblemReport
{
    public static void Write(CommandContext context, ConfigurationResult result, bool isCheck = false)
    {
        foreach (var warning in result.Warnings)
        {
            Warning(context, warning.ToString());
        }

        foreach (var error in result.Errors)
        {
            Error(context, error.ToString());
        }

        if (result.Errors.Length > 0 && !isCheck)
        {
            var count = result.Errors.Length == 1 ? "1 error" : string.Create(CultureInfo.InvariantCulture, $"{result.Errors.Length} errors");
            Error(context, $"the configuration has {count}; `lekhika-daemon check-config` shows them again");
        }
    }

    /// <summary>Writes a problem of a workflow.</summary>
    public static void Write(CommandContext context, string file, Problem problem)
    {
        var text = $"{file}: {(problem.Path.Length > 0 ? problem.Path + ": " : "")}{problem.Message}";
        if (problem.Severity == Severity.Error) Error(context, text);
        else Warning(context, text);
    }

    public static void Error(CommandContext context, string message) => Line(context, "error", 31, 3, message);

    public static void Warning(CommandContext context, string message) => Line(context, "warning", 33, 4, message);

    private static void Line(CommandContext context, string word, int colour, int priority, string message)
    {
        var text = message.ReplaceLineEndings(" ");
        context.Error.WriteLine(context switch
        {
            { ErrorTarget: ConsoleTarget.Journal } => string.Create(CultureInfo.InvariantCulture, $"<{priority}>{word}: {text}"),
            { HasErrorColour: true } => string.Create(CultureInfo.InvariantCulture, $"\e[{colour}m{word}:\e[0m {text}"),
            _ => $"{word}: {text}",
        });
    }
}

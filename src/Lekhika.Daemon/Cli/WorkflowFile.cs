using System.Text.Json;

namespace Lekhika.Daemon.Cli;

/// <summary>Reads what commands are given as FILE.</summary>
internal static class WorkflowFile
{
    /// <summary>Reads JSON.</summary>
    /// <param name="context">Where standard input comes from and errors go.</param>
    /// <param name="file">A path; <c>-</c> is standard input.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <returns>Null when it cannot be read or is no JSON; that has been written to standard error.</returns>
    public static async Task<JsonElement?> ReadAsync(CommandContext context, string file, CancellationToken cancellation)
    {
        try
        {
            var text = file == "-" ? await context.Input.ReadToEndAsync(cancellation) : await File.ReadAllTextAsync(file, cancellation);
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 512 });
            return document.RootElement.Clone();
        }
        catch (JsonException exception)
        {
            // The library's message ends with the place counted from 0.
            var what = exception.Message.Split(" LineNumber:", 2)[0];
            ProblemReport.Error(context, $"{Name(file)} is not JSON: line {exception.LineNumber + 1}, column {exception.BytePositionInLine + 1}: {what}");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            ProblemReport.Error(context, $"{Name(file)} cannot be read: {exception.Message}");
        }

        return null;
    }

    /// <summary>What people are told the file is called.</summary>
    public static string Name(string file) => file == "-" ? "standard input" : file;
}

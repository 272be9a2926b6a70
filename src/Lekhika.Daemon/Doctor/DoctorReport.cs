using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Lekhika.Daemon.Cli;
using Lekhika.Daemon.Hosting;

namespace Lekhika.Daemon.Doctor;

/// <summary>Takes the findings as they come: written at once for people, gathered for JSON.</summary>
internal sealed class DoctorReport(TextWriter output, bool isJson)
{
    private const int Column = 15;
    private readonly List<Check> _checks = [];

    public IReadOnlyList<Check> Checks => _checks;

    /// <summary>Whether the configuration could not be used, which decides the exit code.</summary>
    public bool IsConfigurationInvalid { get; set; }

    public int ExitCode => IsConfigurationInvalid ? ExitCodes.Configuration
        : Count(CheckStatus.Failed) > 0 ? ExitCodes.Failure : ExitCodes.Success;

    public void Add(Check check)
    {
        _checks.Add(check);
        if (isJson) return;
        var indent = new string(' ', Column + 2);
        output.WriteLine($"{Mark(check.Status)} {check.Name.PadRight(Column)}{OneLine(check.Message)}");
        if (check.Fix is { } fix) output.WriteLine($"{indent}{(check.Status == CheckStatus.Failed ? "fix" : "better")}: {OneLine(fix)}");
        output.Flush();
    }

    public void Add(IEnumerable<Check> checks)
    {
        foreach (var check in checks) Add(check);
    }

    /// <summary>Ends the report.</summary>
    public void Finish(string? workerId)
    {
        if (isJson)
        {
            output.WriteLine(Json(workerId));
            return;
        }

        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{Count(CheckStatus.Ok)} passed, {Count(CheckStatus.Failed)} failed");
        if (Count(CheckStatus.Warning) is > 0 and var warnings) text.Append(CultureInfo.InvariantCulture, $", {warnings} to look at");
        if (Count(CheckStatus.Skipped) is > 0 and var skipped) text.Append(CultureInfo.InvariantCulture, $", {skipped} not checked");
        output.WriteLine();
        output.WriteLine(text.ToString());
    }

    private int Count(CheckStatus status) => _checks.Count(check => check.Status == status);

    private static string Mark(CheckStatus status) => status switch
    {
        CheckStatus.Ok => "✓",
        CheckStatus.Failed => "✗",
        CheckStatus.Warning => "!",
        _ => "-",
    };

    private static string Word(CheckStatus status) => status switch
    {
        CheckStatus.Ok => "ok",
        CheckStatus.Failed => "failed",
        CheckStatus.Warning => "warning",
        _ => "skipped",
    };

    // Answers of servers are quoted in messages: a control character in one shall not reach the terminal.
    private static string OneLine(string text) => string.Concat(text.ReplaceLineEndings(" ").Select(static letter => char.IsControl(letter) ? ' ' : letter));

    private string Json(string? workerId)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteBoolean("ok", ExitCode == ExitCodes.Success);
            writer.WriteNumber("exitCode", ExitCode);
            writer.WriteString("version", VersionText.Version);
            if (workerId is not null) writer.WriteString("workerId", workerId);
            writer.WriteNumber("passed", Count(CheckStatus.Ok));
            writer.WriteNumber("failed", Count(CheckStatus.Failed));
            writer.WriteNumber("warnings", Count(CheckStatus.Warning));
            writer.WriteNumber("skipped", Count(CheckStatus.Skipped));
            writer.WriteStartArray("checks");
            foreach (var check in _checks)
            {
                writer.WriteStartObject();
                writer.WriteString("name", check.Name);
                writer.WriteString("status", Word(check.Status));
                writer.WriteString("message", check.Message);
                if (check.Fix is not null) writer.WriteString("fix", check.Fix);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}

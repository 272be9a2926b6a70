using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Lekhika.Workflows.Dialects;
using Lekhika.Workflows.Validation;

namespace Lekhika.Daemon.Cli;

/// <summary>The JSON of <c>validate --json</c>: the same fields as <c>POST /workflows/validate</c> answers.</summary>
internal sealed record ValidateReport(bool Valid, string Dialect, ImmutableArray<string> ExternalTypes, ImmutableArray<ValidateReport.Item> Problems)
{
    private static readonly ValidateJson Json = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // for terminals and programs, never for a page
    });

    /// <summary>An error or a warning.</summary>
    internal sealed record Item(string Severity, string Code, string Path, string Message, string? Suggestion);

    public static string ToJson(ReadResult result) => JsonSerializer.Serialize(
        new ValidateReport(
            result.Ok,
            result.Dialect.Word(),
            result.ExternalTypes,
            [.. result.Problems.Select(static problem => new Item(
                problem.Severity == Workflows.Validation.Severity.Error ? "error" : "warning", problem.Code, problem.Path, problem.Message, problem.Suggestion))]),
        Json.ValidateReport);
}

[JsonSerializable(typeof(ValidateReport))]
internal sealed partial class ValidateJson : JsonSerializerContext;

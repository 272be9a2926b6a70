using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Lekhika.Daemon.Configuration;

namespace Lekhika.Daemon.Cli;

/// <summary>The JSON of <c>check-config --json</c>.</summary>
internal sealed record CheckConfigReport(
    bool Valid,
    ImmutableArray<CheckConfigReport.Item> Errors,
    ImmutableArray<CheckConfigReport.Item> Warnings,
    ImmutableArray<CheckConfigReport.Value>? Settings)
{
    /// <summary>An error or a warning.</summary>
    internal sealed record Item(string Key, string? Origin, string Message, string? Suggestion);

    /// <summary>A setting; secrets masked, null when unset.</summary>
    internal sealed record Value(string Key, [property: JsonPropertyName("value")] string? Text, string Origin);

    public static string ToJson(ConfigurationResult result, bool withSettings) => JsonSerializer.Serialize(
        new CheckConfigReport(
            result.Errors.IsEmpty,
            [.. result.Errors.Select(Describe)],
            [.. result.Warnings.Select(Describe)],
            withSettings ? [.. result.Settings.Select(setting => new Value(setting.Setting.FullName, setting.Shown, setting.Origin.Place))] : null),
        CheckConfigJson.Default.CheckConfigReport);

    private static Item Describe(ConfigurationProblem problem) => new(problem.Key, problem.Origin?.Place, problem.Message, problem.DidYouMean);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    WriteIndented = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CheckConfigReport))]
internal sealed partial class CheckConfigJson : JsonSerializerContext;

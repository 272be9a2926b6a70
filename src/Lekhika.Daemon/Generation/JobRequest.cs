using System.Collections.Immutable;
using System.Text.Json;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Nodes;

namespace Lekhika.Daemon.Generation;

/// <summary>What a job asks for, checked.</summary>
internal sealed record JobRequest
{
    private const int LongestPrompt = 100_000;

    private static readonly ImmutableArray<string> Known =
        ["model", "analyze_model", "generate_model", "temperature", "max_tokens", "num_ctx", "node_types", "max_nodes"];

    public required string Prompt { get; init; }

    public bool IsEdit { get; init; }

    /// <summary>The workflow to change; in create mode one to go by.</summary>
    public JsonElement? CurrentWorkflow { get; init; }

    /// <summary>What happened before; null if nothing did.</summary>
    public JsonElement? History { get; init; }

    public int MaxRetries { get; init; }

    public required string AnalyzeModel { get; init; }

    public required string GenerateModel { get; init; }

    public double? Temperature { get; init; }

    public int? MaxTokens { get; init; }

    public int? ContextTokens { get; init; }

    /// <summary>The only node types to use; empty allows all.</summary>
    public ImmutableArray<string> NodeTypes { get; init; } = [];

    public int? MaxNodes { get; init; }

    /// <summary>What else the job's config says: wishes that the model is told.</summary>
    public JsonElement? Wishes { get; init; }

    /// <summary>Reads the inputs of a job's execution.</summary>
    /// <returns>The request, or what is wrong with the job.</returns>
    public static (JobRequest? Request, string? Problem) Read(JsonElement inputs, GenerationOptions options)
    {
        if (inputs.Text("prompt") is not { } prompt || string.IsNullOrWhiteSpace(prompt)) return (null, "prompt is empty; say what the workflow is to do.");
        if (prompt.Length > LongestPrompt) return (null, $"prompt has {prompt.Length} characters; at most {LongestPrompt} are taken.");
        var mode = inputs.Text("mode") ?? "create";
        if (mode is not ("create" or "edit")) return (null, $"mode is '{mode}'; expected create or edit.");

        var current = inputs.Get("current_workflow");
        if (current is { ValueKind: not JsonValueKind.Object })
            return (null, $"current_workflow is {Describe(current.Value)}; expected an object with nodes and edges.");
        if (current is { } workflow && !(workflow.TryGetProperty("nodes", out var nodes) && nodes.ValueKind == JsonValueKind.Array))
        {
            // Editors send an empty object for "none yet".
            if (mode == "edit" || workflow.EnumerateObject().Any()) return (null, "current_workflow has no array \"nodes\".");
            current = null;
        }

        if (mode == "edit" && current is null) return (null, "mode is edit, but there is no current_workflow to edit.");

        var history = inputs.Get("execution_history");
        if (history is { ValueKind: not JsonValueKind.Array })
            return (null, $"execution_history is {Describe(history.Value)}; expected an array.");
        if (history is { } list && list.GetArrayLength() == 0) history = null;

        var config = inputs.Get("config");
        if (config is { ValueKind: not JsonValueKind.Object }) return (null, $"config is {Describe(config.Value)}; expected an object.");
        var retries = inputs.Get("max_retries") is null ? options.MaxRetries : inputs.Integer("max_retries");
        if (retries is null or < 0 or > 20) return (null, "max_retries is out of range; expected a whole number from 0 to 20.");
        return Configured(
            new JobRequest
            {
                Prompt = prompt,
                IsEdit = mode == "edit",
                CurrentWorkflow = current,
                History = history,
                MaxRetries = retries.Value,
                AnalyzeModel = options.AnalyzeModel,
                GenerateModel = options.GenerateModel,
            },
            config ?? JsonConstants.EmptyObject);
    }

    private static (JobRequest? Request, string? Problem) Configured(JobRequest request, JsonElement config)
    {
        string? problem = null;
        var types = ImmutableArray<string>.Empty;
        if (config.Get("node_types") is { } given)
        {
            if (given.ValueKind != JsonValueKind.Array || given.EnumerateArray().Any(static item => item.ValueKind != JsonValueKind.String))
                return (null, "config.node_types must be an array of node types.");
            types = [.. given.EnumerateArray().Select(static item => item.GetString()!)];
        }

        var model = Model("model");
        var made = request with
        {
            AnalyzeModel = Model("analyze_model") ?? model ?? request.AnalyzeModel,
            GenerateModel = Model("generate_model") ?? model ?? request.GenerateModel,
            Temperature = Number("temperature", 0, 2),
            MaxTokens = (int?)Number("max_tokens", 16, 1_000_000),
            ContextTokens = (int?)Number("num_ctx", 512, 10_000_000),
            MaxNodes = (int?)Number("max_nodes", 1, 1000),
            NodeTypes = types,
            Wishes = config.EnumerateObject().Any(static property => !Known.Contains(property.Name))
                ? JsonConstants.Object(writer =>
                {
                    foreach (var property in config.EnumerateObject())
                    {
                        if (!Known.Contains(property.Name)) property.WriteTo(writer);
                    }
                })
                : null,
        };
        return problem is null ? (made, null) : (null, problem);

        string? Model(string name)
        {
            if (config.Get(name) is not { } value) return null;
            if (value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 and <= 200 } text) return text;
            problem ??= $"config.{name} must be the name of a model.";
            return null;
        }

        double? Number(string name, double least, double most)
        {
            if (config.Get(name) is not { } value) return null;
            if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number >= least && number <= most) return number;
            problem ??= FormattableString.Invariant($"config.{name} must be a number from {least} to {most}.");
            return null;
        }
    }

    private static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        _ => "a boolean",
    };
}

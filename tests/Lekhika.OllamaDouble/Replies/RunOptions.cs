using System.Text.Json;

namespace Lekhika.Doubles;

/// <summary>The <c>options</c> of a request, checked as the server checks them: unknown keys pass, wrong types are a 500.</summary>
internal sealed record RunOptions
{
    private static readonly string[] Integers =
        ["num_keep", "seed", "num_predict", "top_k", "repeat_last_n", "num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread", "draft_num_predict"];

    private static readonly string[] Floats =
        ["top_p", "min_p", "typical_p", "temperature", "repeat_penalty", "presence_penalty", "frequency_penalty"];

    public int? NumPredict { get; init; }

    public int? NumCtx { get; init; }

    public int Seed { get; init; }

    public IReadOnlyList<string> Stop { get; init; } = [];

    public double? Speed { get; init; }

    public int? Tokens { get; init; }

    public DoubleFault? Fault { get; init; }

    /// <exception cref="ApiException">500: an option has the wrong type; 400: an option of the double makes no sense.</exception>
    public static RunOptions Read(JsonElement options)
    {
        if (options.ValueKind != JsonValueKind.Object)
            return new RunOptions();
        foreach (var option in options.EnumerateObject())
        {
            if (option.Value.ValueKind == JsonValueKind.Null)
                continue;
            var wanted = Wanted(option.Name, option.Value.ValueKind);
            if (wanted is not null)
                throw new ApiException(500, $"option \"{option.Name}\" must be of type {wanted}");
        }
        return new RunOptions
        {
            NumPredict = Whole(options, "num_predict"),
            NumCtx = Whole(options, "num_ctx"),
            Seed = Whole(options, "seed") ?? 0,
            Stop = options.TryGetProperty("stop", out var stop) && stop.ValueKind == JsonValueKind.Array
                ? [.. stop.EnumerateArray().Where(text => text.ValueKind == JsonValueKind.String).Select(text => text.GetString()!).Where(text => text.Length > 0)]
                : [],
            Speed = options.TryGetProperty("double_speed", out var speed) && speed.ValueKind == JsonValueKind.Number ? speed.GetDouble() : null,
            Tokens = Whole(options, "double_tokens"),
            Fault = ReadFault(options),
        };
    }

    private static DoubleFault? ReadFault(JsonElement options)
    {
        if (!options.TryGetProperty("double_fault", out var name) || name.ValueKind != JsonValueKind.String)
            return null;
        var fault = PromptMarkers.ReadFault(name.GetString()!);
        return fault with
        {
            Times = Whole(options, "double_fault_times") ?? fault.Times,
            Key = Text(options, "double_fault_key") ?? fault.Key,
            After = Whole(options, "double_after") ?? fault.After,
            Delay = Whole(options, "double_delay_ms") is { } delay ? TimeSpan.FromMilliseconds(delay) : fault.Delay,
            Status = Whole(options, "double_status") ?? fault.Status,
            Message = Text(options, "double_message") ?? fault.Message,
            Bytes = Whole(options, "double_bytes") ?? fault.Bytes,
        };
    }

    private static string? Wanted(string name, JsonValueKind kind)
    {
        if (Integers.Contains(name, StringComparer.Ordinal))
            return kind == JsonValueKind.Number ? null : "integer";
        if (Floats.Contains(name, StringComparer.Ordinal))
            return kind == JsonValueKind.Number ? null : "float32";
        return name switch
        {
            "stop" => kind == JsonValueKind.Array ? null : "array",
            "use_mmap" => kind is JsonValueKind.True or JsonValueKind.False ? null : "boolean",
            _ => null,
        };
    }

    private static int? Whole(JsonElement options, string name) =>
        options.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? (int)value.GetDouble() : null;

    private static string? Text(JsonElement options, string name) =>
        options.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}

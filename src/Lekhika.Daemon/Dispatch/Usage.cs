using System.Text.Json;
using Lekhika.Daemon.Live;

namespace Lekhika.Daemon.Dispatch;

/// <summary>Sums of what steps say in their metrics, which is where a replay finds them too.</summary>
internal static class Usage
{
    public const string TokensIn = "tokens_in";
    public const string TokensOut = "tokens_out";
    public const string Words = "words";

    public static LiveTotals Add(LiveTotals totals, JsonElement? metrics) => metrics is { ValueKind: JsonValueKind.Object } values
        ? new LiveTotals(totals.TokensIn + Number(values, TokensIn), totals.TokensOut + Number(values, TokensOut), totals.Words + Number(values, Words))
        : totals;

    private static long Number(JsonElement metrics, string name) =>
        metrics.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : 0;
}

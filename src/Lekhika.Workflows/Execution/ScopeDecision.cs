using System.Text.Json;

namespace Lekhika.Workflows.Execution;

/// <summary>What was decided when a map or loop was opened, within the bounds of its node and of the daemon.</summary>
/// <param name="Items">The items of a map.</param>
/// <param name="Count">How many iterations; null while a condition decides.</param>
/// <param name="Limit">The most iterations.</param>
/// <param name="Concurrency">Iterations at a time.</param>
/// <param name="Error">Why it cannot run.</param>
internal sealed record ScopeDecision(JsonElement[]? Items, int? Count, int Limit, int Concurrency, StepError? Error)
{
    public static ScopeDecision Read(PlannedNode node, StepRecord record, RunMachineOptions limits)
    {
        var decision = record.Decision ?? default;
        if (decision.ValueKind != JsonValueKind.Object) throw Unusable(record);
        var config = node.Definition.Config;

        if (!node.IsLoop)
        {
            if (!decision.TryGetProperty("items", out var list) || list.ValueKind != JsonValueKind.Array) throw Unusable(record);
            var items = list.EnumerateArray().ToArray();
            var mostItems = Bound(decision, config, "max_items", limits.MaxItems, limits.MaxItems);
            var concurrency = Bound(decision, config, "concurrency", 1, Math.Max(1, limits.MaxConcurrency));
            var error = items.Length > mostItems ? TooManyItems(node, items.Length, mostItems) : null;
            return new(items, items.Length, mostItems, Math.Max(1, concurrency), error);
        }

        var mostPasses = Bound(decision, config, "max_iterations", limits.MaxIterations, limits.MaxIterations);
        if (!decision.TryGetProperty("times", out var times)) return new(null, null, mostPasses, 1, null);
        if (times.ValueKind != JsonValueKind.Number || !times.TryGetInt32(out var count) || count < 0) throw Unusable(record);
        return new(null, count, mostPasses, 1, count > mostPasses ? TooManyPasses(node, mostPasses) : null);
    }

    public static StepError TooManyPasses(PlannedNode node, int limit) => new(ErrorCodes.IterationLimit, FormattableString.Invariant(
        $"Loop '{node.Id}' wants more than {limit} passes, its limit. End it earlier, or raise max_iterations within the daemon's limit."));

    private static StepError TooManyItems(PlannedNode node, int items, int limit) => new(ErrorCodes.IterationLimit, FormattableString.Invariant(
        $"Map '{node.Id}' has {items} items; its limit is {limit}. Give it fewer, or raise max_items within the daemon's limit."));

    /// <summary>A bound that the owner decided, else one from the config if it is plain there, else the default.</summary>
    private static int Bound(JsonElement decision, JsonElement config, string name, int otherwise, int most)
    {
        foreach (var place in (ReadOnlySpan<JsonElement>)[decision, config])
        {
            if (place.ValueKind == JsonValueKind.Object && place.TryGetProperty(name, out var value)
                && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= 0)
            {
                return Math.Min(number, most);
            }
        }

        return Math.Min(otherwise, most);
    }

    private static InvalidOperationException Unusable(StepRecord record) => StepFacts.Contradiction(
        record, "a map is opened with the decision {\"items\": […]}, a loop with {\"times\": n} or {\"while\": true}.");
}

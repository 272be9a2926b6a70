using System.Text.Json;

namespace Lekhika.Benchmarks.Harness;

/// <summary>A peer: a program for node in peers/, which prints one JSON object with what it measured.</summary>
internal static class NodePeer
{
    /// <param name="cluster">Where it gets a database of its own.</param>
    /// <param name="script">Name of its file.</param>
    /// <param name="setup">Names what it is to do.</param>
    public static async Task<JsonElement> RunAsync(BenchCluster cluster, string script, params (string Name, object Value)[] setup)
    {
        await using var database = await cluster.CreateAsync();
        return await RunAsync(database, script, setup);
    }

    public static async Task<JsonElement> RunAsync(BenchDatabase database, string script, params (string Name, object Value)[] setup)
    {
        var environment = setup.ToDictionary(
            static one => one.Name, static one => Convert.ToString(one.Value, System.Globalization.CultureInfo.InvariantCulture)!, StringComparer.Ordinal);
        environment["DATABASE_URL"] = database.Url;
        environment["NODE_NO_WARNINGS"] = "1";
        var said = await Shell.RunAsync(Paths.Node, [Path.Combine(Paths.Peers, script)], environment, Paths.Peers);
        var line = said.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault(static line => line.StartsWith('{'))
            ?? throw new InvalidOperationException($"{script} printed no result: {said}");
        using var document = JsonDocument.Parse(line);
        return document.RootElement.Clone();
    }
}

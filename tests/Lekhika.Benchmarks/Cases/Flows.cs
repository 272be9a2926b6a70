using System.Globalization;

namespace Lekhika.Benchmarks.Cases;

/// <summary>The workflows that are measured, and settings that several cases share.</summary>
internal static class Flows
{
    /// <summary>One node that computes: the engine's own cost.</summary>
    public const string Trivial = """{"nodes":[{"id":"a","type":"set","config":{"values":{"x":1}}}],"edges":[]}""";

    /// <summary>
    /// Two steps, the first durable before the second starts: image nodes count as effects, and without an images endpoint they have nothing to call,
    /// like the empty steps of the peer.
    /// </summary>
    public const string TwoSteps = """
        {"nodes":[{"id":"one","type":"image","config":{"prompt":"x"}},{"id":"two","type":"image","config":{"prompt":"y"}}],"edges":[{"from":"one","to":"two"}]}
        """;

    /// <summary>A step that waits for an hour.</summary>
    public const string Waiting = """{"nodes":[{"id":"wait","type":"delay","config":{"for":"1h"}}],"edges":[]}""";

    /// <summary>A node that fails at once.</summary>
    public const string Failing = """{"nodes":[{"id":"stop","type":"stop_and_error","config":{"message":"no"}}],"edges":[]}""";

    /// <summary>Settings for throughput: slots for a batch as large as the peers' own queues.</summary>
    public static readonly (string Key, string Value)[] Wide = [("worker.concurrency", "1000"), ("worker.max_claimed", "2000")];

    /// <summary>A chain of nodes that compute.</summary>
    public static string Chain(int nodes)
    {
        static string Name(int i) => i.ToString("'n'0", CultureInfo.InvariantCulture);
        var all = Enumerable.Range(0, nodes).Select(i => $$$$"""{"id":"{{{{Name(i)}}}}","type":"set","config":{"values":{"x":{{{{i}}}} } } }""");
        var edges = Enumerable.Range(0, nodes - 1).Select(i => $$"""{"from":"{{Name(i)}}","to":"{{Name(i + 1)}}"}""");
        return $$"""{"nodes":[{{string.Join(',', all)}}],"edges":[{{string.Join(',', edges)}}]}""";
    }

    /// <summary>A map over as many items as the input "items" has.</summary>
    public const string Map = """
        {"nodes":[{"id":"each","type":"map","config":{"items":"{{ inputs.items }}","max_items":10000,
                   "body":{"nodes":[{"id":"double","type":"set","config":{"values":{"x":"{{ item }}"}}}],"edges":[]}}}],"edges":[]}
        """;

    /// <summary>One call of a model.</summary>
    public static string Ask(string model, string prompt = "go") =>
        $$$"""{"nodes":[{"id":"ask","type":"llm","config":{"model":"{{{model}}}","prompt":"{{{prompt}}}"}}],"edges":[]}""";
}

using System.Globalization;

namespace Lekhika.Chaos.World;

/// <summary>
/// A kind of execution of the workload, and what must come of it whatever goes wrong meanwhile. Each number is chosen at insertion, goes through the steps
/// of the run (some of them outside, at the ledger) and must come out as the result <c>r</c>.
/// </summary>
/// <param name="Name">Its name, in <c>inputs.shape</c>.</param>
/// <param name="Definition">The workflow.</param>
/// <param name="Expected">What <c>result.r</c> must be for <c>inputs.n</c>; null for one that must fail.</param>
/// <param name="Signal">The name of the signal that it waits for, if it does.</param>
/// <param name="IsRare">One of thirty or so, not of ten: it takes long.</param>
internal sealed record Shape(string Name, string Definition, Func<int, long>? Expected, string? Signal = null, bool IsRare = false)
{
    /// <param name="ledger">Where effects go.</param>
    /// <param name="child">The workflow that sub-workflows start.</param>
    public static IReadOnlyList<Shape> All(string ledger, Guid child) =>
    [
        new("pure", Graph(Set("a", "x", "{{ inputs.n + 1 }}"), Set("b", "y", "{{ nodes[\\\"a\\\"].x * 2 }}"), Set("out", "r", "{{ nodes[\\\"b\\\"].y }}")),
            static n => (n + 1) * 2),
        new("effects", Graph(Effect(ledger, "a", "inputs.n"), Effect(ledger, "b", From("a")), Set("out", "r", Template(From("b")))), static n => n + 2),
        new("model", Graph(Effect(ledger, "a", "inputs.n"), Model("m"), Effect(ledger, "b", From("a")), Set("out", "r", Template(From("b")))), static n => n + 2),
        new("timer", Graph(Effect(ledger, "a", "inputs.n"), Delay("d", "\"for\":\"900ms\""), Effect(ledger, "b", From("a")), Set("out", "r", Template(From("b")))),
            static n => n + 2),
        new("signal", Graph(Effect(ledger, "a", "inputs.n"), Delay("d", "\"signal\":\"go\",\"for\":\"1h\""), Effect(ledger, "b", From("a")), Set("out", "r", Template(From("b")))),
            static n => n + 2, Signal: "go"),
        new("map", Graph(
            Node("m", "map", $$$"""{"items":"{{{Template("inputs.items")}}}","concurrency":3,"body":{"nodes":[{{{Effect(ledger, "e", "item")}}}],"edges":[]}}"""),
            Set("out", "r", "{{ nodes[\\\"m\\\"].count + inputs.n }}")), static n => n + 5),
        new("branches", Branches(ledger), static n => (2 * n) + 12),
        new("retry", Graph(Node("a", "http", $$$"""{"method":"POST","url":"{{{ledger}}}/flaky","body":{"n":1}}""", Retry), Set("out", "r", "{{ inputs.n }}")), static n => n),
        new("child", Graph(
            Effect(ledger, "a", "inputs.n"),
            Node("c", "subworkflow", $$$"""{"workflow_id":"{{{child}}}","inputs":{"n":"{{{Template(From("a"))}}}"}}"""),
            Set("out", "r", "{{ inputs.n }}")), static n => n),
        // Still under way when whoever began it comes back from three leases of silence.
        new("long", Graph(Slow(ledger, "a", "inputs.n"), Effect(ledger, "b", From("a")), Set("out", "r", Template(From("b")))), static n => n + 2, IsRare: true),
        new("fail", Graph(Effect(ledger, "a", "inputs.n"), Node("stop", "stop_and_error", """{"message":"as it must"}""")), Expected: null),
    ];

    /// <summary>One small execution of each kind, for the crash points: over within a second, and each way through the engine is taken.</summary>
    public static IReadOnlyList<Shape> Small(string ledger, Guid child) =>
    [
        new("pure", Graph(Set("out", "r", "{{ inputs.n + 1 }}")), static n => n + 1),
        new("effects", Graph(Effect(ledger, "a", "inputs.n"), Effect(ledger, "b", From("a")), Set("out", "r", Template(From("b")))), static n => n + 2),
        new("model", Graph(Model("m"), Set("out", "r", "{{ inputs.n }}")), static n => n),
        new("timer", Graph(Effect(ledger, "a", "inputs.n"), Delay("d", "\"for\":\"150ms\""), Effect(ledger, "b", From("a")), Set("out", "r", Template(From("b")))),
            static n => n + 2),
        new("gate", Graph(Effect(ledger, "a", "inputs.n"), Node("ask", "approval", """{"message":"?"}"""), Effect(ledger, "b", From("a")), Set("out", "r", Template(From("b")))),
            static n => n + 2),
        new("map", Graph(
            Node("m", "map", $$$"""{"items":"{{{Template("[1, 2, 3]")}}}","concurrency":2,"body":{"nodes":[{{{Effect(ledger, "e", "item")}}}],"edges":[]}}"""),
            Set("out", "r", "{{ nodes[\\\"m\\\"].count + inputs.n }}")), static n => n + 3),
        new("branches", Branches(ledger), static n => (2 * n) + 12),
        new("retry", Graph(Node("a", "http", $$$"""{"method":"POST","url":"{{{ledger}}}/flaky","body":{"n":1}}""", Soon(40)), Set("out", "r", "{{ inputs.n }}")), static n => n),
        new("child", Graph(
            Node("c", "subworkflow", $$$"""{"workflow_id":"{{{child}}}","inputs":{"n":"{{ inputs.n }}"}}"""), Set("out", "r", "{{ inputs.n }}")), static n => n),
        new("fail", Graph(Node("a", "http", $$$"""{"method":"POST","url":"{{{ledger}}}/broken","body":{"n":1}}""", Soon(2))), Expected: null),
        new("posted", Graph(Effect(ledger, "a", "inputs.n"), Effect(ledger, "b", From("a")), Set("out", "r", Template(From("b")))), static n => n + 2),
    ];

    /// <summary>What the children do.</summary>
    public static string Child(string ledger) => Graph(Effect(ledger, "e", "inputs.n"), Set("out", "r", Template(From("e"))));

    /// <summary>The inputs of one execution.</summary>
    public string Inputs(int n) => string.Create(
        CultureInfo.InvariantCulture,
        $$$"""{"shape":"{{{Name}}}","n":{{{n}}},"items":[1,2,3,4,5]{{{(Expected is null ? "" : $",\"expect\":{Expected(n)}")}}}}""");

    private const string Retry = "\"retry\":{\"max_attempts\":40,\"initial_delay\":\"200ms\",\"backoff\":1.5,\"max_delay\":\"2s\"}";

    private static string Soon(int attempts) => string.Create(
        CultureInfo.InvariantCulture, $"\"retry\":{{\"max_attempts\":{attempts},\"initial_delay\":\"50ms\",\"max_delay\":\"200ms\"}}");

    private static string Branches(string ledger) => $$$"""
        {"nodes":[{{{Node("start", "trigger", "{}")}}},{{{Effect(ledger, "a", "inputs.n")}}},{{{Effect(ledger, "b", "inputs.n + 10")}}},
         {"id":"join","type":"merge","join":"all","config":{}},{{{Set("out", "r", Template($"{From("a")} + {From("b")}"))}}}],
         "edges":[{"from":"start","to":"a"},{"from":"start","to":"b"},{"from":"a","to":"join"},{"from":"b","to":"join"},{"from":"join","to":"out"}]}
        """;

    private static string Template(string expression) => "{{ " + expression + " }}";

    private static string From(string node) => $"nodes[\\\"{node}\\\"].json.n";

    private static string Effect(string ledger, string id, string n) =>
        Node(id, "http", $$$"""{"method":"POST","url":"{{{ledger}}}/effect","body":{"n":"{{{Template(n)}}}"}}""", Retry);

    private static string Slow(string ledger, string id, string n) =>
        Node(id, "http", $$$"""{"method":"POST","url":"{{{ledger}}}/slow","body":{"n":"{{{Template(n)}}}"}}""", Retry);

    /// <summary>How long the double's replies are. Not by a marker in the prompt, which would go before the faults that are scripted.</summary>
    public const int ReplyTokens = 40;

    private static string Model(string id) => Node(id, "llm", """{"model":"llama3.2","prompt":"Write something."}""", Retry);

    private static string Delay(string id, string config) => Node(id, "delay", "{" + config + "}");

    private static string Set(string id, string name, string value) => Node(id, "set", $$$"""{"values":{"{{{name}}}":"{{{value}}}"}}""");

    private static string Node(string id, string type, string config, string? more = null) =>
        $$$"""{"id":"{{{id}}}","type":"{{{type}}}","config":{{{config}}}{{{(more is null ? "" : "," + more)}}}}""";

    /// <summary>One after the other.</summary>
    private static string Graph(params string[] nodes)
    {
        var ids = nodes.Select(static node => node.Split('"')[3]).ToList();
        var edges = ids.Zip(ids.Skip(1), static (from, to) => $$$"""{"from":"{{{from}}}","to":"{{{to}}}"}""");
        return $$$"""{"nodes":[{{{string.Join(',', nodes)}}}],"edges":[{{{string.Join(',', edges)}}}]}""";
    }
}

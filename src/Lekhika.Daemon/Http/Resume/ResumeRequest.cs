using System.Text.Json;
using Lekhika.Daemon.Http.Execute;

namespace Lekhika.Daemon.Http.Resume;

/// <summary>
/// The body of a resume or retry; every field may be left out. The edge function of the Lekhika platform sends its whole <c>/execute</c> body again,
/// with the graph as it is drawn now and <c>regenerateContext</c>: that is read too.
/// </summary>
internal sealed record ResumeRequest
{
    private const int MaxIdLength = 512;
    private const int MaxInstructionLength = 20_000;

    /// <summary>The execution, where the path does not name it.</summary>
    public Guid? ExecutionId { get; private init; }

    /// <summary>Id of the node to begin again at; null for where it failed.</summary>
    public string? From { get; private init; }

    /// <summary>What is to be done otherwise.</summary>
    public string? Instruction { get; private init; }

    /// <summary>Edited nodes; an array.</summary>
    public JsonElement? Nodes { get; private init; }

    /// <summary>The edges; an array. With them the nodes are the whole graph.</summary>
    public JsonElement? Edges { get; private init; }

    /// <summary>Inputs, which must be those that it has.</summary>
    public JsonElement? Inputs { get; private init; }

    /// <summary>Where the nodes are in the body, for messages.</summary>
    public string NodesPath { get; private init; } = "nodes";

    /// <summary>Whether it asks for more than to go on.</summary>
    public bool ChangesSomething => From is not null || Instruction is not null || Nodes is not null || Edges is not null;

    /// <summary>Reads the fields; what is read is a copy.</summary>
    /// <exception cref="RequestException">Something is not what it should be.</exception>
    public static ResumeRequest Read(JsonElement? body)
    {
        if (body is not { } root) return new ResumeRequest();
        var problems = new List<FieldProblem>();
        var fields = new FieldReader(root, "", problems);
        var workflow = fields.Object("workflow");
        var context = fields.Object("regenerateContext");
        var nodes = Array(root, "nodes", "", problems);
        var edges = Array(root, "edges", "", problems);
        var inWorkflow = nodes is null && edges is null && workflow is not null;
        if (inWorkflow)
        {
            nodes = Array(workflow!.Value, "nodes", "workflow.", problems);
            edges = Array(workflow.Value, "edges", "workflow.", problems);
        }

        var request = new ResumeRequest
        {
            ExecutionId = fields.Id("executionId"),
            From = fields.Text("from", MaxIdLength),
            Instruction = fields.Text("instruction", MaxInstructionLength)
                ?? (context is { } given ? new FieldReader(given, "regenerateContext.", problems).Text("manualInstruction", MaxInstructionLength) : null),
            Nodes = nodes?.Clone(),
            Edges = edges?.Clone(),
            Inputs = fields.Object("inputs") is { } inputs && inputs.EnumerateObject().Any() ? inputs.Clone() : null,
            NodesPath = inWorkflow ? "workflow.nodes" : "nodes",
        };
        if (problems.Count == 0) return request;
        throw Invalid($"The request cannot be read: {problems[0].Path} {problems[0].Message}.", problems);
    }

    public static RequestException Invalid(string message, IReadOnlyList<FieldProblem>? problems = null) =>
        new(StatusCodes.Status400BadRequest, HttpErrorCodes.InvalidRequest, message) { Problems = problems ?? [] };

    private static JsonElement? Array(JsonElement owner, string name, string path, List<FieldProblem> problems)
    {
        if (!owner.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        if (value.ValueKind == JsonValueKind.Array) return value;
        problems.Add(new FieldProblem(path + name, $"is {JsonKinds.Describe(value)}; expected an array", "invalid"));
        return null;
    }
}

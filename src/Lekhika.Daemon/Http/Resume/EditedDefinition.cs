using System.Text.Json;
using Lekhika.Daemon.Http.Execute;
using Lekhika.Daemon.Http.Status;
using Lekhika.Daemon.Nodes;
using Lekhika.Workflows;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Http.Resume;

/// <summary>
/// The definition of a run that goes on with edited nodes. It is merged as its author writes it, in whichever dialect, and compared as it is
/// understood: a node that was only moved about on the canvas is not edited. What has run and is kept must be what it was.
/// </summary>
internal static class EditedDefinition
{
    /// <summary>The document with the nodes in it. Nodes alone replace those of the same ids; with edges they are the whole graph.</summary>
    /// <exception cref="RequestException">A node has no id, or an id that is not there.</exception>
    public static JsonElement Merge(JsonElement document, ResumeRequest request)
    {
        var graph = DefinitionNodes.Graph(document) ?? throw ResumeRequest.Invalid("The execution has no definition whose nodes could be edited.");
        return JsonConstants.Object(writer =>
        {
            if (!ReferencesGraph(document)) WriteGraph(writer, graph, request);
            else
            {
                foreach (var property in document.EnumerateObject())
                {
                    writer.WritePropertyName(property.Name);
                    if (property.Name != "graph_config")
                    {
                        property.Value.WriteTo(writer);
                        continue;
                    }

                    writer.WriteStartObject();
                    WriteGraph(writer, graph, request);
                    writer.WriteEndObject();
                }
            }
        });
    }

    /// <summary>Ids of the top nodes that are not what they were: themselves, or what leads to them. Those that are gone count too.</summary>
    public static IEnumerable<string> Changed(WorkflowPlan before, WorkflowPlan after)
    {
        foreach (var node in before.Nodes)
        {
            if (after.Find(node.Id) is not { } now || !IsSame(node, now)) yield return node.Id;
        }
    }

    /// <summary>Whether they are the same workflow, new nodes included.</summary>
    public static bool IsSame(WorkflowPlan before, WorkflowPlan after) =>
        before.Nodes.Count == after.Nodes.Count && !Changed(before, after).Any();

    /// <summary>Compiles it; what is wrong with it is wrong with the request.</summary>
    public static WorkflowPlan Compile(IWorkflowCompiler compiler, JsonElement document, string nodesPath)
    {
        var compiled = compiler.Compile(document);
        if (compiled.Workflow is { } workflow) return workflow.Plan;
        var parent = nodesPath.EndsWith(".nodes", StringComparison.Ordinal) ? nodesPath[..^".nodes".Length] : "";
        var problems = compiled.Errors.Select(problem => WorkflowProblems.In(parent, problem)).ToList();
        throw new RequestException(
            StatusCodes.Status400BadRequest, ErrorCodes.InvalidWorkflow,
            $"With these nodes the workflow is not valid: {(problems.Count > 0 ? $"{problems[0].Path}: {problems[0].Message}" : "it cannot be compiled")}")
        {
            Problems = problems,
        };
    }

    private static bool ReferencesGraph(JsonElement document) =>
        !document.TryGetProperty("nodes"u8, out _) && document.TryGetProperty("graph_config"u8, out var graph) && graph.ValueKind == JsonValueKind.Object;

    private static void WriteGraph(Utf8JsonWriter writer, JsonElement graph, ResumeRequest request)
    {
        var hasEdges = false;
        foreach (var property in graph.EnumerateObject())
        {
            writer.WritePropertyName(property.Name);
            if (property.Name == "nodes" && request.Nodes is { } nodes) WriteNodes(writer, property.Value, nodes, request);
            else if (property.Name == "edges" && request.Edges is { } edges)
            {
                hasEdges = true;
                edges.WriteTo(writer);
            }
            else
            {
                property.Value.WriteTo(writer);
            }
        }

        if (hasEdges || request.Edges is not { } added) return;
        writer.WritePropertyName("edges");
        added.WriteTo(writer);
    }

    private static void WriteNodes(Utf8JsonWriter writer, JsonElement present, JsonElement edited, ResumeRequest request)
    {
        if (request.Edges is not null)
        {
            edited.WriteTo(writer);
            return;
        }

        var byId = ById(edited, request.NodesPath);
        if (present.ValueKind == JsonValueKind.Object)
        {
            writer.WriteStartObject();
            foreach (var property in present.EnumerateObject())
            {
                writer.WritePropertyName(property.Name);
                (byId.Remove(property.Name, out var found) ? found : property.Value).WriteTo(writer);
            }

            writer.WriteEndObject();
        }
        else
        {
            writer.WriteStartArray();
            foreach (var node in present.EnumerateArray())
            {
                (IdOf(node) is { } id && byId.Remove(id, out var found) ? found : node).WriteTo(writer);
            }

            writer.WriteEndArray();
        }

        foreach (var id in byId.Keys)
        {
            throw ResumeRequest.Invalid(
                $"{request.NodesPath} has the node '{id}', which the workflow does not have. To add nodes send all nodes together with edges.",
                [new FieldProblem(request.NodesPath, $"there is no node '{id}'", "unknown_node")]);
        }
    }

    private static Dictionary<string, JsonElement> ById(JsonElement nodes, string path)
    {
        var byId = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        for (var i = 0; i < nodes.GetArrayLength(); i++)
        {
            var id = IdOf(nodes[i]) ?? throw ResumeRequest.Invalid($"{path}[{i}] has no id.", [new FieldProblem($"{path}[{i}].id", "is missing", "missing")]);
            byId[id] = nodes[i];
        }

        return byId;
    }

    private static string? IdOf(JsonElement node)
    {
        if (node.ValueKind != JsonValueKind.Object) return null;
        if (node.TryGetProperty("id"u8, out var id) && id.ValueKind == JsonValueKind.String) return id.GetString();
        return node.TryGetProperty("node_id"u8, out var other) && other.ValueKind == JsonValueKind.String ? other.GetString() : null;
    }

    private static bool IsSame(PlannedNode before, PlannedNode after) =>
        JsonElement.DeepEquals(Canonical(before), Canonical(after)) && Incoming(before).SetEquals(Incoming(after));

    private static JsonElement Canonical(PlannedNode node) =>
        DefinitionWriter.ToElement(new WorkflowDefinition { Nodes = [node.Definition with { Name = null }], Edges = [] });

    private static HashSet<(string From, string? When)> Incoming(PlannedNode node) => [.. node.Incoming.Select(static edge => (edge.From.Id, edge.When))];
}

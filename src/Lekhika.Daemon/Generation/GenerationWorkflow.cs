using System.Collections.Frozen;
using System.Text.Json;
using Lekhika.Daemon.Nodes;
using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Execution;
using Lekhika.Workflows.Expressions;
using Lekhika.Workflows.Templates;

namespace Lekhika.Daemon.Generation;

// A generation job is an execution of this built-in workflow:
//
//   analyze ──► rounds { write } ──► generated
//               one pass: ask, find the JSON, repair, fill in, check; the next pass is told what is wrong; at most 1 + max_retries passes
//
// Every call of a model is a step, so what was paid for is recorded before anything is built on it: a daemon that dies after the analysis is followed
// by one that begins with the writing. Its node types are in no catalogue, and no author can write them: names of types hold no slash.

/// <summary>The built-in workflow that generates workflows.</summary>
internal static class GenerationWorkflow
{
    /// <summary>What the definition of such an execution says instead of nodes.</summary>
    public const string Name = "generation";

    public const string Analyze = "analyze";
    public const string Rounds = "rounds";
    public const string Write = "write";
    public const string Generated = "generated";

    /// <summary>The definition that stands for it: <c>{"builtin": "generation"}</c>.</summary>
    public const string Definition = """{"builtin": "generation"}""";

    /// <summary>Whether a definition is this one.</summary>
    public static bool IsMeant(JsonElement document) =>
        document.ValueKind == JsonValueKind.Object && document.TryGetProperty("builtin", out var name)
        && name.ValueKind == JsonValueKind.String && name.ValueEquals(Name);

    public static CompiledWorkflow Compile(GenerationServices services)
    {
        var definition = new WorkflowDefinition
        {
            Name = "Workflow generation",
            Nodes =
            [
                Node(Analyze, "generation/analyze", "Analysis"),
                Node(Rounds, WorkflowPlan.LoopType, "Drafts") with
                {
                    Body = new WorkflowDefinition { Nodes = [Node(Write, "generation/write", "Draft")], Edges = [] },
                },
                Node(Generated, "generation/generated", "Result"),
            ],
            Edges = [new EdgeDefinition(Analyze, Rounds), new EdgeDefinition(Rounds, Generated)],
        };
        var plan = WorkflowPlan.Compile(definition, static node => node.Id switch
        {
            Analyze or Write => EffectClass.Effect,
            Rounds => EffectClass.Scope,
            _ => EffectClass.Pure,
        });
        var programs = new Dictionary<PlannedNode, NodeProgram>(ReferenceEqualityComparer.Instance);
        Add(plan, services, programs);
        return new CompiledWorkflow(plan, programs.ToFrozenDictionary(ReferenceEqualityComparer.Instance as IEqualityComparer<PlannedNode>));
    }

    private static void Add(WorkflowPlan plan, GenerationServices services, Dictionary<PlannedNode, NodeProgram> programs)
    {
        foreach (var node in plan.Nodes)
        {
            INodeRunner runner = node.Id switch
            {
                Analyze => new AnalyzeRunner(services),
                Rounds => new RoundsRunner(services),
                Write => new WriteRunner(services),
                _ => new GeneratedRunner(),
            };
            programs.Add(node, new NodeProgram
            {
                Type = new NodeType { Name = node.Definition.Type, Category = node.Effect == EffectClass.Effect ? "ai" : "logic", Effect = node.Effect },
                Runner = runner,
                Config = ConfigTemplate.Compile(JsonConstants.EmptyObject),
                Expressions = FrozenDictionary<string, CelExpression>.Empty,
                RawConfig = JsonConstants.EmptyObject,
            });
            if (node.Body is { } body) Add(body, services, programs);
        }
    }

    private static NodeDefinition Node(string id, string type, string name) => new() { Id = id, Type = type, Name = name, Config = JsonConstants.EmptyObject };
}

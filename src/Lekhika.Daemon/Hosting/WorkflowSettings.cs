using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Nodes;
using Lekhika.Daemon.Nodes.Runners;
using Lekhika.Inference;
using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Dialects;
using Lekhika.Workflows.Validation;

namespace Lekhika.Daemon.Hosting;

/// <summary>What the configuration says about workflows: the node types there are, and what runs them.</summary>
internal static class WorkflowSettings
{
    public static WorkflowCompiler Compiler(DaemonOptions options, IModelCaller models, ModelSettings names)
    {
        var catalogue = NodeCatalogue.BuiltIn.WithExternal(options.Nodes.Endpoints.Keys);
        var reading = new ReadOptions
        {
            Catalogue = catalogue,
            ModelAliases = options.Models.Aliases,
            DefaultModel = options.Models.Default,
        };
        var validation = new ValidationOptions
        {
            Catalogue = catalogue,
            Expressions = CelChecker.Instance,
            ModelAliases = options.Models.Aliases,
            MaxNodes = options.Limits.Nodes,
        };
        return new WorkflowCompiler(reading, validation, Runners(options, models, names));
    }

    private static NodeRunners Runners(DaemonOptions options, IModelCaller models, ModelSettings names) => new(
    [
        new("trigger", new TriggerRunner()),
        new("llm", new LlmRunner(models, names.Resolve, options.Ollama.ContextTokens)),
        new("condition", new ConditionRunner()),
        new("switch", new SwitchRunner()),
        new("set", new SetRunner()),
        new("merge", new MergeRunner()),
        new("noop", new NoopRunner()),
        new("output", new OutputRunner()),
    ]);
}

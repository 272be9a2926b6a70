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
    public static WorkflowCompiler Compiler(DaemonOptions options, IModelCaller models, ModelSettings names) =>
        new(Reading(options), Validation(options), Runners(options, models, names));

    /// <summary>What definitions are read with.</summary>
    public static ReadOptions Reading(DaemonOptions options) => new()
    {
        Catalogue = NodeCatalogue.BuiltIn.WithExternal(options.Nodes.Endpoints.Keys),
        ModelAliases = options.Models.Aliases,
        DefaultModel = options.Models.Default,
    };

    /// <summary>What definitions are checked against.</summary>
    public static ValidationOptions Validation(DaemonOptions options) => new()
    {
        Catalogue = NodeCatalogue.BuiltIn.WithExternal(options.Nodes.Endpoints.Keys),
        Expressions = CelChecker.Instance,
        ModelAliases = options.Models.Aliases,
        MaxNodes = options.Limits.Nodes,
    };

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

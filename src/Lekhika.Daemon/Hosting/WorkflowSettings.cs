using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Nodes;
using Lekhika.Daemon.Nodes.Calls;
using Lekhika.Daemon.Nodes.Models;
using Lekhika.Daemon.Nodes.Runners;
using Lekhika.Daemon.Nodes.Secrets;
using Lekhika.Inference;
using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Dialects;
using Lekhika.Workflows.Templates;
using Lekhika.Workflows.Validation;

namespace Lekhika.Daemon.Hosting;

/// <summary>What the configuration says about workflows: the node types there are, and what runs them.</summary>
internal static class WorkflowSettings
{
    public static WorkflowCompiler Compiler(
        DaemonOptions options, IModelCaller models, ModelSettings names, ILogger logger, TimeProvider time, IChildSource? children = null, SecretVault? vault = null) =>
        new(Reading(options), Validation(options), Runners(options, models, names, logger, time, children, vault));

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
        SecretNames = [.. options.Secrets.Select(static secret => secret.Name)],
    };

    /// <summary>What runs which node type.</summary>
    public static NodeRunners Runners(
        DaemonOptions options, IModelCaller models, ModelSettings names, ILogger logger, TimeProvider time, IChildSource? children, SecretVault? vault = null)
    {
        vault ??= new SecretVault(options.Secrets);
        var calls = new ModelCalls(models, names.Resolve, options.Ollama.ContextTokens);
        var guarded = OutboundHttp.Guarded(options.Http.Allow, options.Http.MaxResponse, time);
        var trusted = OutboundHttp.Trusted(options.Http.MaxResponse, time);
        return new NodeRunners(
            [
                new("trigger", new TriggerRunner()),
                new("llm", new LlmRunner(calls)),
                new(NodeExpansion.Chapters, new ChaptersRunner(calls)),
                new(NodeExpansion.ChapterType, new ChapterRunner(calls)),
                new(NodeExpansion.SummaryType, new SummaryRunner(calls)),
                new(NodeExpansion.Refine, new RefineRunner()),
                new(NodeExpansion.PieceType, new PieceRunner(calls)),
                new("image", new ImageRunner(trusted, options.OpenAi, options.Ollama.TotalTimeout)),
                new("http", new HttpRunner(guarded, options.Http.Timeout, vault)),
                new("condition", new ConditionRunner()),
                new("switch", new SwitchRunner()),
                new("map", new MapRunner()),
                new("loop", new LoopRunner()),
                new("merge", new MergeRunner()),
                new("set", new SetRunner()),
                new("filter", new FilterRunner()),
                new("sort", new SortRunner()),
                new("limit", new LimitRunner()),
                new("aggregate", new AggregateRunner()),
                new("split", new SplitRunner()),
                new("parse_json", new ParseJsonRunner()),
                new("delay", new DelayRunner()),
                new("approval", new ApprovalRunner()),
                new("subworkflow", new SubworkflowRunner(children, options.Limits.SubworkflowDepth)),
                new("output", new OutputRunner()),
                new("noop", new NoopRunner()),
                new("stop_and_error", new StopRunner()),
                new("log_output", new LogRunner(logger)),
                new("respond_to_webhook", new RespondRunner()),
            ],
            new ExternalRunner(trusted, options.Nodes.Endpoints, options.Limits.NodeTimeout, vault));
    }
}

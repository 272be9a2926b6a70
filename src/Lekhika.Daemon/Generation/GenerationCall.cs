using System.Collections.Immutable;
using System.Text.Json;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Nodes;
using Lekhika.Daemon.Nodes.Models;
using Lekhika.Inference;
using Lekhika.Workflows;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Generation;

/// <summary>What the internal nodes of a generation work with; the same for all jobs under one configuration.</summary>
internal sealed record GenerationServices
{
    public required GenerationOptions Options { get; init; }

    /// <summary>The node types; null if the operator's file cannot be used, and <see cref="CatalogueProblem"/> says why.</summary>
    public required GenerationCatalogue? Catalogue { get; init; }

    public string? CatalogueProblem { get; init; }

    public required DraftRules? Rules { get; init; }

    public required IModelCaller Models { get; init; }

    /// <summary>Aliases and the default model.</summary>
    public required Func<string?, string?> ResolveModel { get; init; }

    public required IJobFace Face { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>Reads the job, or says why it cannot be done.</summary>
    public (JobRequest? Request, NodeFailed? Failed) Begin(NodeCall call)
    {
        if (!Options.Enabled)
            return (null, new NodeFailed(ErrorCodes.GenerationDisabled, "Generation is switched off on the daemon that took this job (generation.enabled = false)."));
        if (Catalogue is null)
            return (null, new NodeFailed(ErrorCodes.GenerationDisabled, $"The catalogue for generation cannot be used: {CatalogueProblem}"));
        var (request, problem) = JobRequest.Read(call.Run.Inputs, Options);
        if (request is null) return (null, new NodeFailed(ErrorCodes.InvalidInput, "The job cannot be done: " + problem));
        var unknown = request.NodeTypes.FirstOrDefault(name => Catalogue.Catalogue.Find(name) is null);
        return unknown is null
            ? (request, null)
            : (null, new NodeFailed(ErrorCodes.InvalidInput, $"The job cannot be done: config.node_types names '{unknown}', which the catalogue does not have."));
    }

    /// <summary>Asks a model for JSON; whether it is any is found out by the caller, who can repair more than a parser accepts.</summary>
    public async Task<(ModelReply? Reply, NodeFailed? Failed)> AskAsync(
        NodeCall call, string model, ImmutableArray<ModelMessage> messages, JsonElement schema, JobRequest request, int maxTokens, double temperature, JobSink sink,
        CancellationToken cancellationToken)
    {
        var asked = new ModelRequest
        {
            Model = ResolveModel(model) ?? model,
            Messages = messages,
            Format = schema,
            FormatIsAdvice = true,
            Temperature = request.Temperature ?? temperature,
            MaxTokens = request.MaxTokens ?? maxTokens,
            ContextTokens = request.ContextTokens ?? Options.ContextTokens,
            Priority = call.Run.Priority,
        };
        try
        {
            return (await Models.RunAsync(asked, sink, cancellationToken), null);
        }
        catch (ModelException exception)
        {
            return (null, new NodeFailed(
                new StepError(ModelCalls.CodeOf(exception.Failure), $"{call.Step.Node.Definition.DisplayName}: {exception.Message}", exception.Retryable)));
        }
    }

    public static string Head(string text, int most) => text.Length <= most ? text : string.Concat(text.AsSpan(0, most), "…");
}

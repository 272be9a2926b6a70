using System.Text.Json;
using Lekhika.Daemon.Live;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Http.Status;

/// <summary>Pictures of executions that this daemon holds.</summary>
internal static class LivePictures
{
    public static StatusPicture Of(LiveSnapshot live, DateTimeOffset now)
    {
        var steps = new StatusStep[live.Steps.Count];
        var current = -1;
        for (var i = 0; i < steps.Length; i++)
        {
            steps[i] = Step(live.Steps[i]);
            if (live.Steps[i].Key == live.CurrentStep) current = i;
        }

        return new StatusPicture
        {
            Id = live.Header.Id,
            Status = live.Status,
            Run = live.Header.Run,
            Progress = live.Progress,
            Current = current < 0 ? steps.Length - 1 : current,
            WaitingFor = live.WaitingFor,
            Result = live.Result,
            Error = live.Error,
            ErrorDetails = live.ErrorDetails,
            CreatedAt = live.Header.CreatedAt,
            StartedAt = live.StartedAt,
            FinishedAt = live.FinishedAt,
            Now = now,
            TokensIn = live.TokensIn,
            TokensOut = live.TokensOut,
            Words = live.Words,
            Chapter = live.Chapter,
            Nodes = Nodes(live.Nodes),
            Steps = steps,
            WorkerId = live.Header.WorkerId,
            UserId = live.Header.UserId,
            WorkflowId = live.Header.WorkflowId,
            Priority = live.Header.Priority,
            Inputs = new RawJson(Readable(live, live.Header.InputsText), null),
            Definition = new RawJson(Readable(live, live.Header.DefinitionText), null),
        };
    }

    private static StatusNode[] Nodes(IReadOnlyList<PlannedNode> nodes)
    {
        var all = new StatusNode[nodes.Count];
        for (var i = 0; i < all.Length; i++)
        {
            var definition = nodes[i].Definition;
            all[i] = new StatusNode(definition.Id, definition.DisplayName, definition.Type);
        }

        return all;
    }

    private static StatusStep Step(LiveStepView step) => new()
    {
        Key = step.Key,
        NodeId = step.Node.Id,
        Name = step.Node.Definition.DisplayName,
        Type = step.Node.Definition.Type,
        Status = step.Status,
        Attempt = step.Attempt,
        StartedAt = step.StartedAt,
        FinishedAt = step.FinishedAt,
        DueAt = step.DueAt,
        QueuePosition = step.QueuePosition,
        Endpoint = step.Endpoint,
        PartialText = step.PartialText,
        PartialThinking = step.PartialThinking,
        Pieces = step.Pieces,
        Output = step.Output,
        Error = step.Error,
        Metrics = step.Metrics,
    };

    /// <summary>What was submitted, or nothing where that is nested too deeply to be read. An execution that got a plan has been read already.</summary>
    private static string? Readable(LiveSnapshot live, string? text)
    {
        if (live.Nodes.Count > 0 || text is null) return text;
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 512 });
            return text;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

using System.Collections.Immutable;
using System.Text.Json;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Nodes;

// Long texts are written piece by piece, and every piece is a step of its own. To the state machine such a node is a map: the plan of the text is the
// decision that opens it, its pieces are the iterations. The author draws one node; the body is put in here, after validation.
//
//   chapters   write[i].chapter ──more──► write[i].summary        one after the other; the last chapter needs no summary
//   refine     edit[i].piece                                      several at a time
//
// The inner nodes carry the author's configuration, and its templates see what the author's node sees.

/// <summary>Puts bodies into the nodes whose work is made of several steps.</summary>
internal static class NodeExpansion
{
    public const string Chapters = "chapters";
    public const string Refine = "refine";

    // No author and no operator can write these: names of types hold no slash.
    public const string ChapterType = "chapters/chapter";
    public const string SummaryType = "chapters/summary";
    public const string PieceType = "refine/piece";

    public const string ChapterId = "chapter";
    public const string SummaryId = "summary";
    public const string PieceId = "piece";

    /// <summary>The branch that a chapter takes when another one follows.</summary>
    public const string MoreBranch = "more";

    /// <summary>The type that the author knows: of an inner node the one it was made for.</summary>
    public static string AuthorType(string type) => type.IndexOf('/', StringComparison.Ordinal) is var slash and >= 0 ? type[..slash] : type;

    /// <summary>The step whose names the templates of a step see: of an inner node the one the author drew.</summary>
    public static StepRef SeenFrom(StepRef step) =>
        step.Scope is { } scope && step.Node.Definition.Type.Contains('/', StringComparison.Ordinal) ? scope.LoopStep : step;

    public static WorkflowDefinition Expand(WorkflowDefinition definition) =>
        definition.Nodes.Any(NeedsBody) ? definition with { Nodes = [.. definition.Nodes.Select(Expand)] } : definition;

    private static bool NeedsBody(NodeDefinition node) => node.Type is Chapters or Refine || node.Body?.Nodes.Any(NeedsBody) == true;

    private static NodeDefinition Expand(NodeDefinition node) => node.Type switch
    {
        Chapters => node with { Body = ChaptersBody(node) },
        Refine => node with { Body = Body([Inner(node, PieceId, PieceType)], []) },
        _ when node.Body is { } body => node with { Body = Expand(body) },
        _ => node,
    };

    private static WorkflowDefinition ChaptersBody(NodeDefinition node) => Body(
        [
            Inner(node, ChapterId, ChapterType),

            // A book is not lost for want of a summary; the next chapter then gets the end of this one.
            Inner(node, SummaryId, SummaryType) with { Optional = true },
        ],
        [new EdgeDefinition(ChapterId, SummaryId, MoreBranch)]);

    private static WorkflowDefinition Body(ImmutableArray<NodeDefinition> nodes, ImmutableArray<EdgeDefinition> edges) =>
        new() { Nodes = nodes, Edges = edges };

    private static NodeDefinition Inner(NodeDefinition node, string id, string type) => new()
    {
        Id = id,
        Type = type,
        Name = node.DisplayName,
        Config = node.Config,
        Retry = node.Retry,
        Timeout = node.Timeout,
    };
}

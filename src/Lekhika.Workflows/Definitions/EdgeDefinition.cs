namespace Lekhika.Workflows.Definitions;

/// <summary>A connection from one node to another.</summary>
/// <param name="From">Id of the node it leaves.</param>
/// <param name="To">Id of the node it enters.</param>
/// <param name="When">
/// The branch it belongs to (<c>true</c>, <c>false</c>, a switch case, <c>error</c>, <c>approve</c>, <c>reject</c>); null is taken on every success.
/// </param>
public sealed record EdgeDefinition(string From, string To, string? When = null)
{
    /// <summary>The label of edges that are taken when a node has finally failed.</summary>
    public const string ErrorBranch = "error";
}

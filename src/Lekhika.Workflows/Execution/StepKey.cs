using System.Globalization;
using System.Text;

namespace Lekhika.Workflows.Execution;

/// <summary>
/// Names of steps. A step at the top is its node id; inside loops the path leads to it: <c>chapters[3].draft</c>. Ids may hold any
/// character, so <c>\</c>, <c>.</c>, <c>[</c> and <c>]</c> in them are escaped with <c>\</c>, which keeps keys unambiguous.
/// </summary>
public static class StepKey
{
    /// <summary>The key of a node at the top of the graph.</summary>
    public static string Of(string nodeId) => Escape(nodeId);

    /// <summary>The key of a node inside an iteration.</summary>
    /// <param name="iteration">Key of the iteration, from <see cref="Iteration"/>.</param>
    /// <param name="nodeId">Id of the node in the loop's body.</param>
    public static string Of(string iteration, string nodeId) => string.Concat(iteration, ".", Escape(nodeId));

    /// <summary>The key of one iteration of a loop step.</summary>
    public static string Iteration(string loopKey, int index) =>
        string.Concat(loopKey, "[", index.ToString(CultureInfo.InvariantCulture), "]");

    private static string Escape(string id)
    {
        if (id.AsSpan().IndexOfAny(@"\.[]") < 0) return id;
        var escaped = new StringBuilder(id.Length + 4);
        foreach (var character in id)
        {
            if (character is '\\' or '.' or '[' or ']') escaped.Append('\\');
            escaped.Append(character);
        }

        return escaped.ToString();
    }
}

using Lekhika.Workflows.Catalogue;

namespace Lekhika.Workflows.Validation;

/// <summary>What is said about a node type that cannot be run here, whichever dialect named it.</summary>
internal static class TypeNames
{
    private const int MostSuggestions = 100;

    public static void ReportUnknown(ProblemList problems, NodeCatalogue catalogue, string dialect, string type, string nodePath, string typePath)
    {
        if (type.Length == 0)
        {
            problems.Error("missing_type", typePath, $"the node at {nodePath} has no type");
            return;
        }

        if (catalogue.Foreign.TryGetValue(type, out var advice))
        {
            var instead = advice.Length > 0 ? $"{advice}; or " : "";
            problems.Error(
                "external_type_not_configured",
                typePath,
                $"node type '{type}' at {nodePath} is not run by this daemon: {instead}give it to an HTTP endpoint in the configuration: [nodes] {type} = URL");
            return;
        }

        // A document of thousands of unknown types is not one of typing slips.
        var close = problems.Items.Count < MostSuggestions ? Suggestions.Closest(type, catalogue.NamesOf(dialect)) : null;
        problems.Error("unknown_node_type", typePath, $"unknown node type '{Short(type)}' at {nodePath}{Suggestions.Ask(close)}", close);
    }

    private static string Short(string text) => text.Length > 100 ? text[..100] + "…" : text;
}

using System.Globalization;
using System.Text;

namespace Lekhika.Workflows.Definitions;

/// <summary>Draws a definition as a Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html); bodies of loops are subgraphs.</summary>
public static class MermaidWriter
{
    private const int LongestLabel = 80;

    /// <summary>The chart, with a line feed after each line. Nodes are numbered, since ids may hold anything; edges to missing nodes are left out.</summary>
    public static string Write(WorkflowDefinition definition)
    {
        var text = new StringBuilder("flowchart TD\n");
        var count = 0;
        Graph(definition, text, "  ", ref count);
        return text.ToString();
    }

    private static void Graph(WorkflowDefinition graph, StringBuilder text, string indent, ref int count)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var node in graph.Nodes)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"n{count++}");
            names.TryAdd(node.Id, name);
            var label = $"\"{Escape(node.DisplayName)}<br/>{Escape(node.Type)}\"";
            if (node.Body is { } body)
            {
                text.Append(indent).Append("subgraph ").Append(name).Append(" [").Append(label).Append("]\n");
                Graph(body, text, indent + "  ", ref count);
                text.Append(indent).Append("end\n");
                continue;
            }

            var (open, close) = node.Type switch
            {
                "trigger" => ("([", "])"),
                "condition" or "switch" => ("{", "}"),
                "approval" or "delay" => ("{{", "}}"),
                "output" => ("[/", "/]"),
                _ => ("[", "]"),
            };
            text.Append(indent).Append(name).Append(open).Append(label).Append(close).Append('\n');
        }

        foreach (var edge in graph.Edges)
        {
            if (!names.TryGetValue(edge.From, out var from) || !names.TryGetValue(edge.To, out var to)) continue;
            text.Append(indent).Append(from).Append(edge.When == EdgeDefinition.ErrorBranch ? " -.->" : " -->");
            if (edge.When is { } branch) text.Append("|\"").Append(Escape(branch)).Append("\"|");
            text.Append(' ').Append(to).Append('\n');
        }
    }

    /// <summary>A label in quotes: what would end it or read as markup is written as an entity.</summary>
    private static string Escape(string label)
    {
        var text = new StringBuilder(label.Length);
        foreach (var character in label.Length > LongestLabel ? label[..LongestLabel] + "…" : label)
        {
            _ = character switch
            {
                '"' => text.Append("#quot;"),
                '<' => text.Append("#lt;"),
                '>' => text.Append("#gt;"),
                '&' => text.Append("#amp;"),
                '#' => text.Append("#35;"),
                '`' => text.Append("#96;"),
                _ when char.IsControl(character) => text.Append(' '),
                _ => text.Append(character),
            };
        }

        return text.ToString();
    }
}

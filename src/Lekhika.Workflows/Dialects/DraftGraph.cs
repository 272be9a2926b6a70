using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lekhika.Workflows.Definitions;

namespace Lekhika.Workflows.Dialects;

/// <summary>A node on its way into the canonical form.</summary>
internal sealed class DraftNode
{
    public required string Id { get; init; }

    /// <summary>What the author's document calls its type.</summary>
    public required string AuthorType { get; init; }

    /// <summary>Place of the node in the author's document.</summary>
    public required string Path { get; init; }

    /// <summary>Place of its config in the author's document.</summary>
    public required string ConfigPath { get; init; }

    /// <summary>Place of its type in the author's document.</summary>
    public string TypePath { get; init; } = "";

    /// <summary>The author's config.</summary>
    public JsonElement Source { get; init; } = JsonKinds.EmptyObject;

    public string? Name { get; init; }

    /// <summary>What the node is for, in the dialect that has roles.</summary>
    public string Role { get; init; } = "";

    /// <summary>Where the editor shows it.</summary>
    public double X { get; init; }

    public double Y { get; init; }

    /// <summary>The canonical type; the author's until it is mapped.</summary>
    public string Type { get; set; } = "";

    public JsonObject Config { get; set; } = [];

    /// <summary>Canonical config field to its place in the author's document.</summary>
    public Dictionary<string, string> Places { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether the config is the author's own, name by name.</summary>
    public bool KeepsNames { get; set; }

    public TimeSpan? Timeout { get; set; }

    public bool Optional { get; set; }

    public DraftGraph? Body { get; set; }

    /// <summary>Sets a config field and remembers where it came from.</summary>
    public void Set(string field, JsonNode? value, string? authorField = null)
    {
        if (value is null) return;
        Config[field] = value;
        if (authorField is not null) Places[field] = JsonPath.Key(ConfigPath, authorField);
    }
}

/// <summary>An edge on its way into the canonical form.</summary>
internal sealed record DraftEdge(string From, string To, string? When, string Path);

/// <summary>A graph on its way into the canonical form.</summary>
internal sealed class DraftGraph
{
    public string Name { get; init; } = "";

    public List<DraftNode> Nodes { get; init; } = [];

    public List<DraftEdge> Edges { get; set; } = [];

    /// <summary>The canonical definition; where its parts come from is noted in <paramref name="sources"/>.</summary>
    public WorkflowDefinition Build(SourceMap sources, string path = "")
    {
        var nodes = ImmutableArray.CreateBuilder<NodeDefinition>(Nodes.Count);
        foreach (var draft in Nodes)
        {
            var place = JsonPath.Index(JsonPath.Key(path, "nodes"), nodes.Count);
            sources.Add(place, draft.Path);
            sources.Add(place + ".type", draft.TypePath.Length > 0 ? draft.TypePath : draft.Path);
            sources.Add(place + ".config", draft.ConfigPath, draft.KeepsNames);
            foreach (var (field, author) in draft.Places) sources.Add(JsonPath.Key(place + ".config", field), author);
            nodes.Add(new NodeDefinition
            {
                Id = draft.Id,
                Type = draft.Type,
                Name = draft.Name,
                Config = draft.Config.ToElement(),
                Timeout = draft.Timeout,
                Optional = draft.Optional,
                Body = draft.Body?.Build(sources, place + ".config.body"),
            });
        }

        var edges = ImmutableArray.CreateBuilder<EdgeDefinition>(Edges.Count);
        foreach (var edge in Edges)
        {
            sources.Add(JsonPath.Index(JsonPath.Key(path, "edges"), edges.Count), edge.Path);
            edges.Add(new EdgeDefinition(edge.From, edge.To, edge.When));
        }

        return new WorkflowDefinition { Name = Name, Nodes = nodes.MoveToImmutable(), Edges = edges.MoveToImmutable() };
    }
}

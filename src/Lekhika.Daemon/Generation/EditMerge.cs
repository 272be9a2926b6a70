using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Lekhika.Daemon.Generation;

/// <summary>
/// Puts what a model says about a change into the workflow that is to be changed. What it does not mention stays as it is, to the letter: nodes that
/// are missing in the reply were left out, not removed, unless the reply or the request says so; fields and positions that it does not repeat are kept.
/// </summary>
internal static partial class EditMerge
{
    public static JsonElement Apply(JsonElement current, JsonElement reply, string prompt, EdgeForm form)
    {
        var workflow = (JsonObject)JsonNode.Parse(current.GetRawText())!;
        var change = (JsonObject)JsonNode.Parse(reply.GetRawText())!;
        foreach (var name in (ReadOnlySpan<string>)["name", "summary"])
        {
            if (workflow[name] is null && WorkflowDraft.Text(change[name]) is { Length: > 0 } text) workflow[name] = text;
        }

        var nodes = workflow["nodes"] as JsonArray ?? [];
        var given = (change["nodes"] as JsonArray ?? []).OfType<JsonObject>().ToList();
        var before = Ids(nodes);
        var fresh = new HashSet<string>(StringComparer.Ordinal);
        foreach (var node in given)
        {
            var id = WorkflowDraft.Text(node["id"]);
            if (id is not null && nodes.OfType<JsonObject>().FirstOrDefault(known => WorkflowDraft.Text(known["id"]) == id) is { } known) Change(known, node);
            else
            {
                if (id is not null) fresh.Add(id);
                nodes.Add(node.DeepClone());
            }
        }

        var gone = Removed(change, nodes, given, before, prompt);
        foreach (var node in nodes.OfType<JsonObject>().Where(node => WorkflowDraft.Text(node["id"]) is { } id && gone.Contains(id)).ToList()) nodes.Remove(node);
        workflow["edges"] = Edges(workflow["edges"] as JsonArray ?? [], change["edges"] as JsonArray ?? [], form, Ids(nodes), fresh, gone);
        return WorkflowDraft.ToElement(workflow);
    }

    /// <summary>A changed node keeps what the reply does not say: its position, its retry policy, config fields.</summary>
    private static void Change(JsonObject known, JsonObject said)
    {
        var data = known["data"] as JsonObject;
        var was = data is not null && data["type"] is not null ? WorkflowDraft.Text(data["type"]) : WorkflowDraft.Text(known["type"]);
        var becomes = said["data"] is JsonObject inner && inner["type"] is not null ? WorkflowDraft.Text(inner["type"]) : WorkflowDraft.Text(said["type"]);
        var isOther = becomes is not null && becomes != was && becomes != "custom";
        if (isOther)
        {
            if (data?["type"] is not null) data["type"] = becomes;
            else known["type"] = becomes;
        }

        var config = said["config"] as JsonObject ?? (said["data"] as JsonObject)?["config"] as JsonObject;
        if (config is not null)
        {
            var holder = data?["config"] is JsonObject ? data : known;
            if (isOther || holder["config"] is not JsonObject old) holder["config"] = config.DeepClone();
            else
            {
                foreach (var property in config) old[property.Key] = property.Value?.DeepClone();
            }
        }

        foreach (var property in said)
        {
            if (property.Key is "id" or "type" or "config" or "data" or "position" || property.Value is null) continue;
            if (data is not null && property.Key is "name" or "label" && data?["label"] is not null) data["label"] = property.Value.DeepClone();
            else known[property.Key] = property.Value.DeepClone();
        }
    }

    private static HashSet<string> Removed(JsonObject change, JsonArray nodes, List<JsonObject> given, HashSet<string> before, string prompt)
    {
        var gone = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in change["removed"] as JsonArray ?? [])
        {
            if (WorkflowDraft.Text(item) is { } id && before.Contains(id)) gone.Add(id);
        }

        // A reply with the whole workflow lacks what was to go. It is whole if it repeats most of the others.
        if (gone.Count > 0 || !Removing().IsMatch(prompt)) return gone;
        var repeated = given.Select(static node => WorkflowDraft.Text(node["id"])).OfType<string>().Where(before.Contains).ToHashSet(StringComparer.Ordinal);
        var missing = before.Where(id => !repeated.Contains(id)).ToList();
        var inEdges = (change["edges"] as JsonArray ?? []).OfType<JsonObject>().SelectMany(static edge => edge).Select(static end => WorkflowDraft.Text(end.Value)).ToHashSet();
        if (repeated.Count >= missing.Count && nodes.Count > missing.Count) gone.UnionWith(missing.Where(id => !inEdges.Contains(id)));
        return gone;
    }

    private static JsonArray Edges(JsonArray old, JsonArray said, EdgeForm form, HashSet<string> ids, HashSet<string> fresh, HashSet<string> gone)
    {
        var links = said.OfType<JsonObject>().Select(edge => Link.Of(edge)).Where(static link => link is not null).Select(static link => link!).ToList();
        var touched = links.SelectMany(static link => (string[])[link.From, link.To]).ToHashSet(StringComparer.Ordinal);
        var olds = old.OfType<JsonObject>().Select(edge => (Edge: edge, Link: Link.Of(edge))).ToList();

        // All edges after the change, or only those that were thought of: all, if no node that stays has lost every edge.
        var isWhole = links.Count > 0 && olds.Where(static entry => entry.Link is not null)
            .SelectMany(static entry => (string[])[entry.Link!.From, entry.Link.To])
            .All(id => gone.Contains(id) || touched.Contains(id));
        var next = links.ToLookup(static link => link.From, static link => link.To);
        var made = new JsonArray();
        var kept = new HashSet<(string, string, string?)>();
        foreach (var (edge, link) in olds)
        {
            if (link is null)
            {
                made.Add(edge.DeepClone());
                continue;
            }

            if (!ids.Contains(link.From) || !ids.Contains(link.To)) continue;
            var isSaid = links.Any(other => other.From == link.From && other.To == link.To && (other.Branch ?? "") == (link.Branch ?? ""));
            if (!isSaid && (isWhole || LeadsAround(link, next, fresh))) continue;
            kept.Add((link.From, link.To, link.Branch));
            made.Add(edge.DeepClone());
        }

        foreach (var link in links)
        {
            if (gone.Contains(link.From) || gone.Contains(link.To) || !kept.Add((link.From, link.To, link.Branch))) continue;
            var edge = new JsonObject { [form.From] = link.From, [form.To] = link.To };
            if (!string.IsNullOrEmpty(link.Branch)) edge[form.Branch] = link.Branch;
            made.Add((JsonNode)edge);
        }

        return Bridged(made, olds.Select(static entry => entry.Link).OfType<Link>().ToList(), form, ids, gone, hasSaid: links.Count > 0);
    }

    /// <summary>Where nodes were taken out and nothing was said of edges, what came before leads to what comes after.</summary>
    private static JsonArray Bridged(JsonArray made, List<Link> olds, EdgeForm form, HashSet<string> ids, HashSet<string> gone, bool hasSaid)
    {
        if (hasSaid || gone.Count == 0) return made;
        foreach (var into in olds.Where(link => ids.Contains(link.From) && gone.Contains(link.To)))
        {
            var waiting = new Stack<string>([into.To]);
            var seen = new HashSet<string>(StringComparer.Ordinal);
            while (waiting.TryPop(out var at))
            {
                if (!seen.Add(at)) continue;
                foreach (var link in olds.Where(link => link.From == at))
                {
                    if (gone.Contains(link.To)) waiting.Push(link.To);
                    else if (ids.Contains(link.To))
                    {
                        var edge = new JsonObject { [form.From] = into.From, [form.To] = link.To };
                        if (!string.IsNullOrEmpty(into.Branch)) edge[form.Branch] = into.Branch;
                        made.Add((JsonNode)edge);
                    }
                }
            }
        }

        return made;
    }

    /// <summary>Whether new nodes were put between the ends of an edge.</summary>
    private static bool LeadsAround(Link link, ILookup<string, string> next, HashSet<string> fresh)
    {
        var waiting = new Stack<string>(next[link.From].Where(fresh.Contains));
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (waiting.TryPop(out var at))
        {
            if (!seen.Add(at)) continue;
            foreach (var target in next[at])
            {
                if (target == link.To) return true;
                if (fresh.Contains(target)) waiting.Push(target);
            }
        }

        return false;
    }

    private static HashSet<string> Ids(JsonArray nodes) =>
        nodes.OfType<JsonObject>().Select(static node => WorkflowDraft.Text(node["id"])).OfType<string>().ToHashSet(StringComparer.Ordinal);

    private sealed record Link(string From, string To, string? Branch)
    {
        public static Link? Of(JsonObject edge) =>
            (WorkflowDraft.Text(edge["from"]) ?? WorkflowDraft.Text(edge["source"])) is { } from
            && (WorkflowDraft.Text(edge["to"]) ?? WorkflowDraft.Text(edge["target"])) is { } to
                ? new Link(from, to, WorkflowDraft.Text(edge["when"]) ?? WorkflowDraft.Text(edge["sourceHandle"]))
                : null;
    }

    [GeneratedRegex(@"\b(remove|delete|drop|discard|without|replace|instead|get rid|take out|strip|eliminate|swap)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Removing();
}

using System.Text.Json;
using Lekhika.Daemon.Nodes;
using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Dialects;
using Lekhika.Workflows.Validation;

namespace Lekhika.Daemon.Generation;

/// <summary>
/// Whether a draft can be given to its user. With this daemon's own types it must compile, so that <c>POST /execute</c> takes it as it is; with an
/// operator's catalogue it must keep to that file. Beyond what the validator asks of authors, a generated workflow has a trigger, leaves no node
/// unreached and holds no credentials.
/// </summary>
internal sealed class DraftRules(GenerationCatalogue catalogue, IWorkflowCompiler compiler, ReadOptions reading, int maxNodes)
{
    /// <summary>Everything that is wrong, errors only.</summary>
    /// <param name="draft">The filled-in draft.</param>
    /// <param name="edges">How its edges are written.</param>
    /// <param name="request">What was asked for.</param>
    /// <param name="secrets">Texts of credentials found in it.</param>
    public IReadOnlyList<Problem> Check(JsonElement draft, EdgeForm edges, JobRequest request, out IReadOnlyList<string> secrets)
    {
        var problems = new List<Problem>();
        problems.AddRange(catalogue.IsForeign ? Foreign(draft, edges) : Own(draft));
        secrets = PlainSecrets.Find(draft, problems);
        var count = draft.GetProperty("nodes").GetArrayLength();
        if (request.MaxNodes is { } most && count > most)
            problems.Add(new Problem(Severity.Error, "too_many_nodes", "nodes", FormattableString.Invariant($"{count} nodes; at most {most} were asked for")));
        if (!request.NodeTypes.IsEmpty) CheckAllowed(draft, request, problems);
        return problems;
    }

    private List<Problem> Own(JsonElement draft)
    {
        var problems = Errors(compiler.Compile(draft).Problems).ToList();
        if (problems.Exists(static problem => problem.Code is "no_nodes" or "not_a_workflow")) return problems;
        var definition = WorkflowReader.Read(draft, reading).Definition;
        if (definition is not null && !definition.Nodes.Any(static node => node.Type == "trigger")) problems.Add(NoTrigger("a node of type trigger"));
        return problems;
    }

    private List<Problem> Foreign(JsonElement draft, EdgeForm edges)
    {
        var malformed = new List<Problem>();
        var definition = DraftReader.Read(draft, edges, malformed);
        var options = new ValidationOptions { Catalogue = catalogue.Catalogue, Expressions = null, CheckInputNames = false, MaxNodes = maxNodes };

        // What the validator says of triggers is about this daemon's own type of that name.
        var problems = malformed.Concat(WorkflowValidator.Validate(definition, options)
            .Where(static problem => problem.Code is not ("no_trigger" or "unreachable_node" or "trigger_entered"))
            .Where(static problem => problem.Severity == Severity.Error)).ToList();
        if (definition.Nodes.Length == 0) return problems;
        var triggers = definition.Nodes.Where(node => catalogue.Catalogue.Find(node.Type) is { } type && GenerationCatalogue.IsTriggerType(type))
            .Select(static node => node.Id).ToHashSet(StringComparer.Ordinal);
        if (triggers.Count == 0)
        {
            problems.Add(NoTrigger("one of " + string.Join(", ", catalogue.Types.Where(GenerationCatalogue.IsTriggerType).Select(static type => type.Name))));
            return problems;
        }

        Reach(definition, triggers, problems);
        return problems;
    }

    private static void Reach(WorkflowDefinition definition, HashSet<string> triggers, List<Problem> problems)
    {
        var next = definition.Edges.ToLookup(static edge => edge.From, static edge => edge.To, StringComparer.Ordinal);
        var reached = new HashSet<string>(triggers, StringComparer.Ordinal);
        var waiting = new Stack<string>(triggers);
        while (waiting.TryPop(out var at))
        {
            foreach (var target in next[at])
            {
                if (reached.Add(target)) waiting.Push(target);
            }
        }

        for (var index = 0; index < definition.Nodes.Length; index++)
        {
            var id = definition.Nodes[index].Id;
            if (reached.Contains(id)) continue;
            problems.Add(new Problem(
                Severity.Error, "unreachable_node", FormattableString.Invariant($"nodes[{index}]"), $"no edge leads from a trigger to '{id}'"));
        }
    }

    private void CheckAllowed(JsonElement draft, JobRequest request, List<Problem> problems)
    {
        var index = 0;
        foreach (var node in draft.GetProperty("nodes").EnumerateArray())
        {
            var place = FormattableString.Invariant($"nodes[{index++}].type");
            if (DraftNodes.TypeOf(node) is not { } type || request.NodeTypes.Contains(type)) continue;
            if (catalogue.Catalogue.Find(type) is { } known && GenerationCatalogue.IsTriggerType(known)) continue;
            problems.Add(new Problem(Severity.Error, "type_not_allowed", place, $"type '{type}' is not among those asked for: {string.Join(", ", request.NodeTypes)}"));
        }
    }

    /// <summary>Errors, and the warnings that mean a user would not get what was asked for.</summary>
    private static IEnumerable<Problem> Errors(IEnumerable<Problem> problems) => problems
        .Where(static problem => problem.Severity == Severity.Error || problem.Code is "unreachable_node" or "trigger_entered")
        .Select(static problem => problem with { Severity = Severity.Error });

    private static Problem NoTrigger(string what) => new(
        Severity.Error, "no_trigger", "nodes", $"there is no trigger: the workflow must begin with {what}, with edges to what follows");
}

/// <summary>Reads a draft of another editor into the form the validator checks.</summary>
internal static class DraftReader
{
    public static WorkflowDefinition Read(JsonElement draft, EdgeForm form, List<Problem> problems)
    {
        var nodes = new List<NodeDefinition>();
        foreach (var node in draft.GetProperty("nodes").EnumerateArray())
        {
            var place = FormattableString.Invariant($"nodes[{nodes.Count}]");
            if (node.ValueKind != JsonValueKind.Object) problems.Add(new Problem(Severity.Error, "wrong_type", place, "a node must be an object with id, type and config"));
            var data = node.Get("data");
            var config = data?.Get("config") ?? node.Get("config");
            if (config is { ValueKind: not JsonValueKind.Object }) problems.Add(new Problem(Severity.Error, "wrong_type", place + ".config", "\"config\" must be an object"));
            nodes.Add(new NodeDefinition
            {
                Id = node.Text("id") ?? "",
                Type = DraftNodes.TypeOf(node) ?? "",
                Name = node.Text("name"),
                Config = config is { ValueKind: JsonValueKind.Object } given ? given : JsonConstants.EmptyObject,
            });
        }

        var edges = new List<EdgeDefinition>();
        foreach (var edge in draft.GetProperty("edges").EnumerateArray())
        {
            if (edge.ValueKind != JsonValueKind.Object)
                problems.Add(new Problem(Severity.Error, "wrong_type", FormattableString.Invariant($"edges[{edges.Count}]"), $"an edge must be an object with {form.From} and {form.To}"));
            edges.Add(new EdgeDefinition(edge.Text(form.From) ?? "", edge.Text(form.To) ?? "", edge.Text(form.Branch)));
        }

        return new WorkflowDefinition { Name = draft.Text("name") ?? "", Nodes = [.. nodes], Edges = [.. edges] };
    }
}

using System.Collections.Immutable;
using System.Text.Json;
using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Validation;

namespace Lekhika.Workflows.Dialects;

// Design. A document is recognised by its shape, read by the reader of its dialect into the canonical form, and from there on nobody knows where
// it came from. Old notations for templates and expressions are translated into CEL here and nowhere else. Each reader notes in a SourceMap where
// canonical places come from, so that the validator, which sees only the canonical form, still reports places in the author's document. Nothing
// here throws on a document, however odd: what cannot be read becomes a problem.

/// <summary>Reads workflows of every dialect into the canonical form.</summary>
public static class WorkflowReader
{
    /// <summary>Reads a document. Types, config and edges are checked by <see cref="Check"/> or <see cref="WorkflowValidator"/>.</summary>
    public static ReadResult Read(JsonElement document, ReadOptions options)
    {
        var problems = new ProblemList();
        var sources = new SourceMap();
        if (document.ValueKind != JsonValueKind.Object)
        {
            problems.Error("not_a_workflow", "", $"a workflow must be an object with \"nodes\" and \"edges\", but this is {document.Describe()}");
            return new ReadResult { Dialect = Dialect.Canonical, Problems = problems.Items };
        }

        if (!DocumentSanity.Check(document, problems)) return new ReadResult { Dialect = Dialect.Canonical, Problems = problems.Items };
        if (JsonReading.Open(ref document) && !DocumentSanity.Check(document, problems)) return new ReadResult { Dialect = Dialect.Canonical, Problems = problems.Items };
        var dialect = DialectDetector.Detect(document, options.Catalogue);
        var definition = dialect switch
        {
            Dialect.Lekhika => new LekhikaReader(options, problems, sources).Read(document),
            Dialect.SynthralOS => new SynthralReader(options, problems, sources).Read(document),
            Dialect.CtrlChecks => new CtrlChecksReader(options, problems, sources).Read(document),
            _ => ReadCanonical(document, options, problems),
        };
        return new ReadResult
        {
            Dialect = dialect,
            Definition = definition,
            Problems = problems.Items,
            ExternalTypes = definition is null ? [] : ExternalTypes(definition, options.Catalogue),
            Sources = sources,
        };
    }

    /// <summary>Reads and validates a document: every problem there is, in places of the author's document.</summary>
    public static ReadResult Check(JsonElement document, ReadOptions options, ValidationOptions validation)
    {
        var read = Read(document, options);
        if (read.Definition is null) return read;
        var all = new ProblemList();
        foreach (var problem in read.Problems) all.Add(problem);
        var scoped = validation with
        {
            Catalogue = options.Catalogue,
            ModelAliases = options.ModelAliases,
            Sources = read.Sources,
            CheckInputNames = validation.CheckInputNames && read.Dialect == Dialect.Canonical,
        };
        var known = read.Problems.Select(static problem => (problem.Code, problem.Path)).ToHashSet();
        foreach (var problem in WorkflowValidator.Validate(read.Definition, scoped))
        {
            if (!known.Contains((problem.Code, problem.Path))) all.Add(problem);
        }

        return read with { Problems = all.Items };
    }

    private static WorkflowDefinition? ReadCanonical(JsonElement document, ReadOptions options, ProblemList problems)
    {
        var definition = new CanonicalReader(problems).Read(document, "");
        return definition is null ? null : ResolveAliases(definition, options.Catalogue);
    }

    private static WorkflowDefinition ResolveAliases(WorkflowDefinition graph, NodeCatalogue catalogue)
    {
        var nodes = ImmutableArray.CreateBuilder<NodeDefinition>(graph.Nodes.Length);
        foreach (var node in graph.Nodes)
        {
            var type = catalogue.Find(node.Type) is null ? catalogue.FindAlias("canonical", node.Type)?.Name ?? node.Type : node.Type;
            nodes.Add(node with { Type = type, Body = node.Body is { } body ? ResolveAliases(body, catalogue) : null });
        }

        return graph with { Nodes = nodes.MoveToImmutable() };
    }

    private static ImmutableArray<string> ExternalTypes(WorkflowDefinition definition, NodeCatalogue catalogue)
    {
        var names = new SortedSet<string>(StringComparer.Ordinal);
        Collect(definition);
        return [.. names];

        void Collect(WorkflowDefinition graph)
        {
            foreach (var node in graph.Nodes)
            {
                if (catalogue.Find(node.Type)?.External ?? catalogue.Foreign.ContainsKey(node.Type)) names.Add(node.Type);
                if (node.Body is { } body) Collect(body);
            }
        }
    }
}

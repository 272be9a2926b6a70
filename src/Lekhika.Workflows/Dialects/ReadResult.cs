using System.Collections.Immutable;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Validation;

namespace Lekhika.Workflows.Dialects;

/// <summary>What reading a document gave.</summary>
public sealed record ReadResult
{
    /// <summary>The dialect found, by the document's shape.</summary>
    public required Dialect Dialect { get; init; }

    /// <summary>
    /// The definition in canonical form, as far as it could be read; null if the document is no workflow at all. Only run it when <see cref="Ok"/>.
    /// </summary>
    public WorkflowDefinition? Definition { get; init; }

    /// <summary>Errors and warnings, with places in the author's document.</summary>
    public required IReadOnlyList<Problem> Problems { get; init; }

    /// <summary>Node types it uses that need an endpoint of the operator's, whether configured or not; sorted.</summary>
    public ImmutableArray<string> ExternalTypes { get; init; } = [];

    /// <summary>Leads from the canonical form back to the author's document.</summary>
    public SourceMap Sources { get; init; } = new();

    /// <summary>Whether there is a definition and no error.</summary>
    public bool Ok => Definition is not null && !Problems.Any(static problem => problem.Severity == Severity.Error);
}

/// <summary>Ways in which workflows are written.</summary>
public enum Dialect
{
    /// <summary>This program's own form.</summary>
    Canonical,

    /// <summary>Lekhika's editor: <c>data.role</c>, <c>data.userPrompt</c>, single braces.</summary>
    Lekhika,

    /// <summary>SynthralOS: <c>node_id</c>, <c>graph_config</c>, nodes as a map with <c>next</c>.</summary>
    SynthralOS,

    /// <summary>CtrlChecks: bare nodes, or hydrated ones of type <c>custom</c>; <c>sourceHandle</c>.</summary>
    CtrlChecks,
}

/// <summary>The words for dialects.</summary>
public static class DialectWords
{
    /// <summary>The word of the catalogue, SQL and HTTP for a dialect.</summary>
    public static string Word(this Dialect dialect) => dialect switch
    {
        Dialect.Lekhika => "lekhika",
        Dialect.SynthralOS => "synthralos",
        Dialect.CtrlChecks => "ctrlchecks",
        _ => "canonical",
    };
}

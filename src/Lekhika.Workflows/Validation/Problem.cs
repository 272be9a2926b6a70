namespace Lekhika.Workflows.Validation;

/// <summary>Something wrong or doubtful in a definition, with its place.</summary>
/// <param name="Severity">Errors keep a definition from running; warnings do not.</param>
/// <param name="Code">A short stable word, such as <c>unknown_node_type</c>.</param>
/// <param name="Path">JSON path in the document as the author wrote it, such as <c>nodes[3].config.url</c>; empty for the whole.</param>
/// <param name="Message">What, where, what was expected and how to mend it.</param>
/// <param name="Suggestion">A close name that may have been meant; null if none is close.</param>
public sealed record Problem(Severity Severity, string Code, string Path, string Message, string? Suggestion = null);

/// <summary>How much a <see cref="Problem"/> matters.</summary>
public enum Severity
{
    /// <summary>It runs, but perhaps not as meant.</summary>
    Warning,

    /// <summary>It cannot run.</summary>
    Error,
}

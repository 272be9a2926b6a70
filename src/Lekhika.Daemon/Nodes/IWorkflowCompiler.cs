using System.Text.Json;
using Lekhika.Workflows.Validation;

namespace Lekhika.Daemon.Nodes;

/// <summary>Reads, validates and compiles a definition, whichever dialect it is in.</summary>
internal interface IWorkflowCompiler
{
    /// <param name="document">The definition as its author wrote it.</param>
    CompileResult Compile(JsonElement document);
}

/// <summary>What became of a definition.</summary>
/// <param name="Workflow">Ready to run; null if there are errors.</param>
/// <param name="Dialect">canonical, lekhika, synthralos or ctrlchecks.</param>
/// <param name="Problems">Errors and warnings, all at once.</param>
internal sealed record CompileResult(CompiledWorkflow? Workflow, string Dialect, IReadOnlyList<Problem> Problems)
{
    public IEnumerable<Problem> Errors => Problems.Where(static problem => problem.Severity == Severity.Error);
}

using Lekhika.Workflows.Validation;

namespace Lekhika.Workflows.Templates;

/// <summary>Templates that cannot be compiled, with everything that is wrong.</summary>
public sealed class TemplateException : Exception
{
    /// <summary>The <see cref="Problem.Code"/> of each problem.</summary>
    public const string ProblemCode = "invalid_expression";

    /// <summary>Makes an error.</summary>
    /// <param name="problems">What is wrong; at least one.</param>
    public TemplateException(IReadOnlyList<Problem> problems)
        : base(string.Join("; ", (problems ?? []).Select(static problem => problem.Path.Length == 0 ? problem.Message : $"{problem.Path}: {problem.Message}")))
    {
        Problems = problems ?? [];
    }

    /// <summary>What is wrong, each with its path in the configuration, such as <c>config.headers["X-Key"]</c>.</summary>
    public IReadOnlyList<Problem> Problems { get; }
}

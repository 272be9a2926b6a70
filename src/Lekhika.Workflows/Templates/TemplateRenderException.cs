using Lekhika.Workflows.Expressions;

namespace Lekhika.Workflows.Templates;

/// <summary>An expression in a template that ended in an error when it was rendered.</summary>
public sealed class TemplateRenderException : Exception
{
    /// <summary>Makes an error.</summary>
    /// <param name="path">Where the template stands, such as <c>config.prompt</c>; empty for a text of its own.</param>
    /// <param name="expression">The expression.</param>
    /// <param name="error">What went wrong.</param>
    public TemplateRenderException(string path, string expression, CelEvaluationException error)
        : base($"{(path is null or "" ? "" : path + ": ")}{{{{ {expression} }}}}: {error?.Message}", error)
    {
        Path = path ?? "";
        Expression = expression;
        IsTooCostly = error is CelBudgetException;
    }

    /// <summary>Where the template stands, such as <c>config.prompt</c>; empty for a text of its own.</summary>
    public string Path { get; }

    /// <summary>The expression, without its braces.</summary>
    public string Expression { get; }

    /// <summary>Whether a limit was exceeded, rather than an error met.</summary>
    public bool IsTooCostly { get; }

    /// <summary>The error code to record: <see cref="ErrorCodes.ExpressionTooCostly"/> or <see cref="ErrorCodes.ExpressionFailed"/>.</summary>
    public string Code => IsTooCostly ? ErrorCodes.ExpressionTooCostly : ErrorCodes.ExpressionFailed;
}

using System.Collections.Immutable;
using Lekhika.Workflows.Expressions;
using Lekhika.Workflows.Templates;

namespace Lekhika.Workflows.Validation;

/// <summary>Checks expressions and templates with the compilers that will run them.</summary>
public sealed class CelChecker : IExpressionChecker
{
    /// <summary>The one there needs to be.</summary>
    public static CelChecker Instance { get; } = new();

    /// <inheritdoc/>
    public ExpressionReport CheckExpression(string expression) =>
        CelExpression.TryCompile(expression, out var compiled, out var error)
            ? new ExpressionReport([], NamesIn(compiled.References))
            : new ExpressionReport([new ExpressionFault(error.Message, error.Column)], []);

    /// <inheritdoc/>
    public ExpressionReport CheckTemplate(string template)
    {
        try
        {
            return new ExpressionReport([], NamesIn(TextTemplate.Compile(template).References));
        }
        catch (TemplateException exception)
        {
            return new ExpressionReport([.. exception.Problems.Select(static problem => new ExpressionFault(problem.Message))], []);
        }
    }

    // A name that is only asked for (has(inputs.x)) may be absent.
    private static ImmutableArray<ExpressionName> NamesIn(IReadOnlyList<CelReference> references) =>
        [.. references.Where(static reference => !reference.IsTested).Select(static reference =>
            new ExpressionName(reference.Name, reference.Path.Count > 0 ? reference.Path[0].Member : null, reference.Column))];
}

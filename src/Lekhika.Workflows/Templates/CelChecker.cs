using System.Collections.Immutable;
using Lekhika.Workflows.Expressions;
using Lekhika.Workflows.Validation;

namespace Lekhika.Workflows.Templates;

/// <summary>Checks expressions and templates with the compilers that will run them. Places count in the whole text that was given.</summary>
/// <param name="scanned">Keeps what was scanned for whoever compiles the same definition next; null keeps nothing.</param>
public sealed class CelChecker(ScannedTemplates? scanned = null) : IExpressionChecker
{
    /// <summary>One for checks that nothing follows.</summary>
    public static CelChecker Instance { get; } = new();

    /// <inheritdoc/>
    public ExpressionReport CheckExpression(string expression)
    {
        if (!CelExpression.TryCompile(expression, out var compiled, out var error)) return new([Fault(error)], []);
        var names = ImmutableArray.CreateBuilder<ExpressionName>(compiled.References.Count);
        AddNames(names, compiled, line: 1, column: 1);
        return new([], names.ToImmutable());
    }

    /// <inheritdoc/>
    public ExpressionReport CheckTemplate(string template)
    {
        // The names of the expressions that compile are told even if others do not, so that everything is said at once.
        var (parts, errors) = ScannedTemplates.Scan(template, scanned);
        var names = ImmutableArray.CreateBuilder<ExpressionName>();
        foreach (var part in parts)
        {
            if (part.Expression is null) continue;
            var (line, column) = SourcePosition.Of(template, part.Start);
            AddNames(names, part.Expression, line, column);
        }

        return new([.. errors.Select(Fault)], names.ToImmutable());
    }

    private static ExpressionFault Fault(CelSyntaxException error) => new(error.Description, error.Column, error.Line);

    /// <summary>Adds the names of an expression that begins at a line and column of the whole text.</summary>
    private static void AddNames(ImmutableArray<ExpressionName>.Builder names, CelExpression expression, int line, int column)
    {
        foreach (var reference in expression.References)
        {
            // What has() asks for may be absent; what it asks it of may not.
            var member = reference.Path.Count > 0 && !(reference.IsTested && reference.Path.Count == 1) ? reference.Path[0].Member : null;
            var place = reference.Line == 1 ? reference.Column + column - 1 : reference.Column;
            names.Add(new ExpressionName(reference.Name, member, place, reference.Line + line - 1));
        }
    }
}

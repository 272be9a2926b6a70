using System.Collections.Immutable;

namespace Lekhika.Workflows.Validation;

/// <summary>Compiles expressions and templates without running them. Never throws on bad text: that is what its reports are for.</summary>
public interface IExpressionChecker
{
    /// <summary>Looks at a CEL expression.</summary>
    ExpressionReport CheckExpression(string expression);

    /// <summary>Looks at a text with any number of <c>{{ cel }}</c> in it.</summary>
    ExpressionReport CheckTemplate(string template);
}

/// <summary>What was found in an expression or template.</summary>
/// <param name="Faults">Why it does not compile; empty if it does.</param>
/// <param name="Names">Free names it refers to (variables of macros and functions are not among them).</param>
public sealed record ExpressionReport(ImmutableArray<ExpressionFault> Faults, ImmutableArray<ExpressionName> Names)
{
    /// <summary>Nothing wrong and nothing named.</summary>
    public static ExpressionReport Nothing { get; } = new([], []);
}

/// <summary>Why an expression does not compile.</summary>
/// <param name="Message">What was found and what was expected.</param>
/// <param name="Column">Where in its line, from 1; null if unknown.</param>
/// <param name="Line">Line of the text, from 1.</param>
public sealed record ExpressionFault(string Message, int? Column = null, int Line = 1);

/// <summary>A free name in an expression.</summary>
/// <param name="Root">The name itself, such as <c>nodes</c> or <c>inputs</c>.</param>
/// <param name="Member">The constant name taken from it (<c>nodes["draft"]</c>, <c>inputs.topic</c>); null if there is none.</param>
/// <param name="Column">Where in its line, from 1; null if unknown.</param>
/// <param name="Line">Line of the text, from 1.</param>
public sealed record ExpressionName(string Root, string? Member = null, int? Column = null, int Line = 1);

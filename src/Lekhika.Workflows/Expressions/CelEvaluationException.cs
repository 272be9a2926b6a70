namespace Lekhika.Workflows.Expressions;

/// <summary>An evaluation that ended in an error, such as a missing key, a division by zero or operands that do not fit.</summary>
public class CelEvaluationException : Exception
{
    /// <summary>Makes an error.</summary>
    /// <param name="message">What went wrong and how to mend it.</param>
    /// <param name="line">Line in the expression, from 1; null if not known.</param>
    /// <param name="column">Column in UTF-16 code units, from 1; null if not known.</param>
    public CelEvaluationException(string message, int? line = null, int? column = null)
        : base(message)
    {
        Line = line;
        Column = column;
    }

    /// <summary>Line in the expression, from 1; null if not known.</summary>
    public int? Line { get; }

    /// <summary>Column in the expression in UTF-16 code units, from 1; null if not known.</summary>
    public int? Column { get; }
}

/// <summary>An evaluation that was stopped because it cost more than <see cref="CelLimits"/> allow. It is never absorbed.</summary>
public sealed class CelBudgetException : CelEvaluationException
{
    /// <summary>Makes an error.</summary>
    /// <param name="message">Which limit was exceeded.</param>
    public CelBudgetException(string message)
        : base(message)
    {
    }
}

namespace Lekhika.Workflows.Expressions;

/// <summary>An expression that does not parse.</summary>
public sealed class CelSyntaxException : Exception
{
    /// <summary>Makes an error at a place.</summary>
    /// <param name="line">Line, from 1.</param>
    /// <param name="column">Column in UTF-16 code units, from 1.</param>
    /// <param name="description">What was found and what was expected.</param>
    public CelSyntaxException(int line, int column, string description)
        : base($"line {line}, column {column}: {description}")
    {
        Line = line;
        Column = column;
        Description = description;
    }

    /// <summary>Line, from 1.</summary>
    public int Line { get; }

    /// <summary>Column in UTF-16 code units, from 1.</summary>
    public int Column { get; }

    /// <summary>The message without the place.</summary>
    public string Description { get; }

    internal static CelSyntaxException At(string text, int offset, string description)
    {
        var (line, column) = SourcePosition.Of(text, offset);
        return new CelSyntaxException(line, column, description);
    }
}

/// <summary>Turns an offset into the line and column that people see.</summary>
internal static class SourcePosition
{
    public static (int Line, int Column) Of(string text, int offset)
    {
        var before = text.AsSpan(0, Math.Min(offset, text.Length));
        var line = before.Count('\n') + 1;
        return (line, before.Length - (before.LastIndexOf('\n') + 1) + 1);
    }
}

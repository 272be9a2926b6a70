namespace Lekhika.Workflows.Expressions;

/// <summary>What is accepted when an expression is compiled. The defaults are for expressions that people write in definitions.</summary>
public sealed record CelCompileOptions
{
    /// <summary>The options used when none are given.</summary>
    public static CelCompileOptions Default { get; } = new();

    /// <summary>The longest expression, in UTF-16 code units.</summary>
    public int MaxLength { get; init; } = 65_536;

    /// <summary>How deeply brackets, calls and lists may nest.</summary>
    public int MaxNesting { get; init; } = 200;

    /// <summary>How high the syntax tree may grow; a chain such as <c>a + b + c</c> or <c>a.b.c</c> adds one a link.</summary>
    public int MaxTreeDepth { get; init; } = 500;

    /// <summary>
    /// Whether a call of a function that does not exist, or with a number of arguments that it never takes, is a syntax error.
    /// When false it is an error of evaluation, which <c>||</c> and <c>&amp;&amp;</c> may absorb, as the CEL specification has it.
    /// </summary>
    public bool CheckFunctions { get; init; } = true;

    /// <summary>Whether <c>has</c>, <c>all</c>, <c>exists</c>, <c>map</c>, <c>filter</c> and the other macros are expanded.</summary>
    public bool Macros { get; init; } = true;

    /// <summary>Whether the bindings may hold dotted names: <c>a.b.c</c> is then looked up as <c>a.b.c</c>, <c>a.b</c> and <c>a</c>, in this order.</summary>
    public bool QualifiedNames { get; init; }

    /// <summary>The namespace that names are resolved in first, such as <c>com.example</c>; empty for none. Needs <see cref="QualifiedNames"/>.</summary>
    public string Container { get; init; } = "";

    /// <summary>A name whose members an expression may put in their place but not look into, such as <c>secrets</c>; null for none. See <see cref="OpaqueUse"/>.</summary>
    public string? OpaqueName { get; init; }
}

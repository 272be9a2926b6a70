using System.Diagnostics.CodeAnalysis;

namespace Lekhika.Workflows.Expressions;

// Expressions: the Common Expression Language (CEL, https://cel.dev), without protobuf messages and without a type checker.
//
//   text --CelLexer--> tokens --CelParser--> CelSyntax --CelCompiler--> CelNode tree      once, bounded in length, nesting and height
//   CelNode.Evaluate(ref CelFrame) --> CelValue                                           many times, on any thread
//
// Values are structs; lists and maps from JSON are views that are read where an expression looks. An error is a value too, so that || and
// && absorb it as CEL demands; CelExpression turns one that reaches the top into an exception. Every node, element and piece of text is
// charged to a budget, every list, map and text is held to a size, so an expression from a stranger costs at most what CelLimits say.

/// <summary>A compiled CEL expression. Immutable and safe to evaluate on many threads at once.</summary>
public sealed class CelExpression
{
    private readonly CelNode _root;
    private readonly int _slotCount;

    private CelExpression(string text, CelNode root, CelCompiler compiler)
    {
        Text = text;
        _root = root;
        _slotCount = compiler.SlotCount;
        References = compiler.References;
    }

    /// <summary>The text that was compiled.</summary>
    public string Text { get; }

    /// <summary>The free names, in the order written, each with the members known without evaluating. A name used twice is listed twice.</summary>
    public IReadOnlyList<CelReference> References { get; }

    /// <summary>Whether the expression is one literal, such as <c>"{{"</c>, that is the same for all bindings.</summary>
    public bool IsLiteral => _root is LiteralNode;

    /// <summary>Compiles an expression.</summary>
    /// <param name="text">The expression, such as <c>inputs.count &gt; 3</c>.</param>
    /// <param name="options">What is accepted; null for the defaults.</param>
    /// <exception cref="CelSyntaxException">The text is no expression.</exception>
    public static CelExpression Compile(string text, CelCompileOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        options ??= CelCompileOptions.Default;
        var syntax = CelParser.Parse(text, options);
        if (options.OpaqueName is { } opaque && text.Contains(opaque, StringComparison.Ordinal)) OpaqueUse.Check(text, syntax, opaque);
        var compiler = new CelCompiler(text, options);
        return new CelExpression(text, compiler.Compile(syntax), compiler);
    }

    /// <summary>Compiles an expression without throwing.</summary>
    /// <param name="text">The expression.</param>
    /// <param name="expression">The compiled expression, or null.</param>
    /// <param name="error">What is wrong, or null.</param>
    public static bool TryCompile(string text, [NotNullWhen(true)] out CelExpression? expression, [NotNullWhen(false)] out CelSyntaxException? error)
    {
        try
        {
            (expression, error) = (Compile(text), null);
            return true;
        }
        catch (CelSyntaxException caught)
        {
            (expression, error) = (null, caught);
            return false;
        }
    }

    /// <summary>Evaluates the expression.</summary>
    /// <param name="bindings">The names it sees.</param>
    /// <param name="limits">What it may cost; null for the defaults.</param>
    /// <exception cref="CelEvaluationException">It ended in an error.</exception>
    /// <exception cref="CelBudgetException">It costs more than the limits allow.</exception>
    public CelValue Evaluate(ICelBindings bindings, CelLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(bindings);
        var slots = _slotCount == 0 ? [] : new CelValue[_slotCount];
        var frame = new CelFrame(bindings, limits ?? CelLimits.Default, slots);
        var value = _root.Evaluate(ref frame);
        if (!value.IsError)
            return value;
        var error = value.ErrorValue;
        if (error.Position < 0)
            throw new CelEvaluationException(error.Describe());
        var (line, column) = SourcePosition.Of(Text, error.Position);
        throw new CelEvaluationException(error.Describe(), line, column);
    }

    /// <inheritdoc/>
    public override string ToString() => Text;
}

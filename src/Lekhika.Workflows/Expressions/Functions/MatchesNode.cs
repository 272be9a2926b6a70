using System.Text.RegularExpressions;

namespace Lekhika.Workflows.Expressions;

/// <summary>
/// <c>text.matches(pattern)</c>: whether the pattern is found anywhere in the text. Patterns are RE2's, searched in time linear in the
/// text. A node keeps the pattern it last met, which is nearly always the only one.
/// </summary>
internal sealed class MatchesNode(int position, CelNode text, CelNode pattern) : CelNode(position)
{
    private const int StepsToCompile = 1000;

    private Compiled? _last;

    public override CelValue Evaluate(ref CelFrame frame)
    {
        frame.Enter();
        var subject = text.Evaluate(ref frame);
        if (subject.IsError)
            return subject;
        var expression = pattern.Evaluate(ref frame);
        if (expression.IsError)
            return expression;
        if (subject.Kind != CelKind.String || expression.Kind != CelKind.String)
            return At(CelError.NoOverload(CelFunctions.Matches, [subject, expression]));
        var compiled = _last;
        if (compiled is null || !compiled.IsFor(expression.StringValue, frame.Limits.RegexTimeout))
        {
            frame.Charge(StepsToCompile + (expression.StringValue.Length * 10L));
            compiled = Compile(expression.StringValue, frame.Limits.RegexTimeout, out var problem);
            if (compiled is null)
                return At(CelValue.Error($"invalid regular expression: {problem}"));
            _last = compiled;
        }

        // A search is linear in the text, but slower for a large automaton.
        frame.ChargeText(subject.StringValue.Length * 4L * (1 + (compiled.Size / 32)));
        try
        {
            return CelValue.From(compiled.Regex.IsMatch(subject.StringValue));
        }
        catch (RegexMatchTimeoutException)
        {
            throw new CelBudgetException($"a regular expression took longer than {frame.Limits.RegexTimeout.TotalMilliseconds} ms");
        }
    }

    /// <summary>Stands in the table of functions, so that the name is known; the compiler makes a node instead.</summary>
    public static CelValue Refuse(ref CelFrame frame, ReadOnlySpan<CelValue> args) => CelError.NoOverload(CelFunctions.Matches, args);

    private static Compiled? Compile(string pattern, TimeSpan timeout, out string problem)
    {
        if (!Re2Pattern.TryTranslate(pattern, out var translated, out var size, out problem))
            return null;
        try
        {
            return new Compiled(pattern, size, new Regex(translated, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, timeout));
        }
        catch (Exception error) when (error is ArgumentException or NotSupportedException)
        {
            problem = error.Message;
            return null;
        }
    }

    private sealed record Compiled(string Pattern, long Size, Regex Regex)
    {
        public bool IsFor(string pattern, TimeSpan timeout) =>
            string.Equals(Pattern, pattern, StringComparison.Ordinal) && Regex.MatchTimeout == timeout;
    }
}

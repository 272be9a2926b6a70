using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Lekhika.Workflows.Validation;

namespace Lekhika.Workflows.Tests.Validation;

/// <summary>Stands for the CEL compiler: names are found by pattern, and the word "broken" does not compile.</summary>
internal sealed partial class FakeChecker : IExpressionChecker
{
    public List<string> Seen { get; } = [];

    public ExpressionReport CheckExpression(string expression)
    {
        Seen.Add(expression);
        var column = expression.IndexOf("broken", StringComparison.Ordinal);
        ImmutableArray<ExpressionFault> faults = column < 0 ? [] : [new ExpressionFault("unexpected 'broken'", column + 1)];
        var names = Roots().Matches(expression).Select(match => new ExpressionName(
            match.Groups["root"].Value,
            match.Groups["key"].Success ? match.Groups["key"].Value : match.Groups["dot"].Success ? match.Groups["dot"].Value : null,
            match.Index + 1));
        return new ExpressionReport(faults, [.. names]);
    }

    public ExpressionReport CheckTemplate(string template)
    {
        var reports = Parts().Matches(template).Select(match => CheckExpression(match.Groups["cel"].Value)).ToList();
        return new ExpressionReport([.. reports.SelectMany(report => report.Faults)], [.. reports.SelectMany(report => report.Names)]);
    }

    [GeneratedRegex("""(?<![\w."'])(?<root>[a-z_]\w*)(?:\["(?<key>[^"]*)"\]|\.(?<dot>\w+))?(?![\w(])""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Roots();

    [GeneratedRegex("""\{\{(?<cel>.*?)\}\}""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Parts();
}

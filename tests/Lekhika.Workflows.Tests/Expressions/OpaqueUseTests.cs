using Lekhika.Workflows.Expressions;
using Lekhika.Workflows.Templates;
using Xunit;

namespace Lekhika.Workflows.Tests.Expressions;

/// <summary>What templates may do with secrets, whose values they do not see.</summary>
public sealed class OpaqueUseTests
{
    [Theory]
    [InlineData("{{ secrets.A }}")]
    [InlineData("x{{ secrets[\"A\"] }}y {{ 'Bearer ' + secrets.A + '.' }}")]
    [InlineData("{{ inputs.live ? secrets.A : secrets.B }}")]
    [InlineData("{{ {'key': [secrets.A]} }}")]
    [InlineData("{{ inputs.secrets == 'x' }} {{ 'secrets.A'.size() }}")]
    public void Putting_one_in_its_place_compiles(string template) => Assert.NotNull(TextTemplate.Compile(template));

    [Theory]
    [InlineData("{{ secrets }}", "named one by one", 4)]
    [InlineData("{{ .secrets }}", "named one by one", 5)]
    [InlineData("{{ secrets[inputs.x] }}", "named one by one", 4)]
    [InlineData("{{ [secrets][0].A }}", "named one by one", 5)]
    [InlineData("{{ secrets.map(k, k) }}", "named one by one", 4)]
    [InlineData("{{ size(secrets.A) }}", "put in its place", 9)]
    [InlineData("{{ secrets.A.size() }}", "put in its place", 4)]
    [InlineData("{{ secrets.A.b }}", "put in its place", 4)]
    [InlineData("{{ secrets.A[0] }}", "put in its place", 4)]
    [InlineData("{{ has(secrets.A) }}", "put in its place", 8)]
    [InlineData("{{ secrets.A == 'x' }}", "put in its place", 4)]
    [InlineData("{{ 'a' in [secrets.A] }}", "put in its place", 12)]
    [InlineData("{{ secrets.A < 'b' ? 1 : 2 }}", "put in its place", 4)]
    [InlineData("{{ {'a': secrets.A}.a }}", "put in its place", 10)]
    [InlineData("{{ {secrets.A: 1} }}", "put in its place", 5)]
    [InlineData("{{ !secrets.A }}", "put in its place", 5)]
    [InlineData("{{ secrets.A * 2 }}", "put in its place", 4)]
    [InlineData("{{ [secrets.A].map(x, x.size()) }}", "put in its place", 5)]
    public void Looking_into_one_is_an_error_with_its_column(string template, string says, int column)
    {
        var report = CelChecker.Instance.CheckTemplate(template);
        var fault = Assert.Single(report.Faults);
        Assert.Contains(says, fault.Message, StringComparison.Ordinal);
        Assert.Equal(column, fault.Column);
    }

    [Fact]
    public void Elsewhere_the_name_is_one_like_any_other() =>
        Assert.Equal(2L, CelExpression.Compile("size(secrets)").Evaluate(Cel.Bind("""{"secrets":[1,2]}""")).IntValue);
}

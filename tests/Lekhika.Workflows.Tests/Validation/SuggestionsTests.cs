using Lekhika.Workflows.Validation;
using Xunit;

namespace Lekhika.Workflows.Tests.Validation;

public sealed class SuggestionsTests
{
    [Theory]
    [InlineData("sracping", "scraping")]
    [InlineData("promt", "prompt")]
    [InlineData("HTTP", "http")]
    [InlineData("conditon", "condition")]
    public void The_closest_name_is_offered(string typed, string meant) =>
        Assert.Equal(meant, Suggestions.Closest(typed, ["prompt", "http", "scraping", "condition", "output"]));

    [Theory]
    [InlineData("")]
    [InlineData("zebra")]
    [InlineData("qq")]
    public void Nothing_is_offered_when_nothing_is_close(string typed) =>
        Assert.Null(Suggestions.Closest(typed, ["prompt", "http", "scraping", "condition", "output"]));

    [Fact]
    public void Very_long_names_are_left_alone() => Assert.Null(Suggestions.Closest(new string('a', 100_000), [new string('a', 99_999)]));
}

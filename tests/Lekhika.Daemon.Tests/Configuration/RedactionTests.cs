using Lekhika.Daemon.Configuration;
using Xunit;

namespace Lekhika.Daemon.Tests.Configuration;

public sealed class RedactionTests
{
    [Theory]
    [InlineData("postgres://u:hidden@h/d", "postgres://u:***@h/d")]
    [InlineData("postgres://u@h/d", "postgres://u@h/d")]
    [InlineData("postgres://h/d?user=u&password=hidden", "postgres://h/d?user=u&password=***")]
    [InlineData("postgres://u:hid@den@h/d", "postgres://u:***@h/d")]
    [InlineData("postgres://u:hid/den@h/d", "postgres://u:***@h/d")]
    [InlineData("postgres://u:hid?den@h/d", "postgres://u:***@h/d")]
    [InlineData("postgres://u:hid,den@a:1,b:2/d", "postgres://u:***@a:1,b:2/d")]
    [InlineData("http://a:hidden@x, http://b:hidden@y/?token=hidden&q=1", "http://a:***@x, http://b:***@y/?token=***&q=1")]
    [InlineData("http://x/?email=a@b", "http://x/?email=a@b")]
    [InlineData("Host=h;Password=hidden;Username=u", "host=h;password=***;username=u")]
    [InlineData("plain", "plain")]
    [InlineData("not=\"closed", "***")]
    public void Secrets_inside_values_are_masked(string text, string expected) => Assert.Equal(expected, Redaction.Inside(text), ignoreCase: true);

    [Fact]
    public void A_secret_prints_as_a_mask_and_is_compared_whole()
    {
        var secret = new Secret("correct horse");
        Assert.Equal("***", $"{secret}");
        Assert.True(secret.Matches("correct horse"));
        Assert.False(secret.Matches("correct hors"));
        Assert.False(secret.Matches(""));
    }

    [Fact]
    public void No_secret_shows_in_what_is_printed_or_reported()
    {
        string[] hidden = ["hidden-url", "hidden-auth", "hidden-api", "hidden-ollama", "hidden-node", "hidden-pass"];
        var result = Read.From(
            """
            [database]
            url = postgres://u:hidden-url@h/d
            password = hidden-pass
            [auth]
            internal_secret = hidden-auth
            [openai]
            api_key = hidden-api
            [ollama]
            url = http://a:hidden-ollama@x
            [nodes]
            scraping = http://x/?api_key=hidden-node
            [worker]
            unknown = hidden-pass
            """);
        using var printed = new StringWriter();
        ConfigurationPrinter.Print(result, printed);
        var everything = printed + string.Join('\n', result.Errors.Concat(result.Warnings)) + string.Join('\n', result.Settings)
            + Lekhika.Daemon.Cli.CheckConfigReport.ToJson(result, withSettings: true);
        Assert.Contains("u:***@h", everything, StringComparison.Ordinal);
        Assert.All(hidden, secret => Assert.DoesNotContain(secret, everything, StringComparison.Ordinal));
    }

    [Fact]
    public void Options_print_without_their_secrets()
    {
        var options = Read.Options("[database]\nurl = postgres://u:hidden-url@h/d\n[auth]\ninternal_secret = hidden-auth-hidden\n[openai]\nurl = http://x/v1\napi_key = hidden-api\n");
        Assert.DoesNotContain("hidden", options.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_printed_is_a_configuration_file_that_means_the_same()
    {
        var first = Read.From(Read.Minimal + "[worker]\nid = \"a#b\"\nlease = 12s\n[models]\n\"x = y\" = \"m # n\"\n[http]\nallow = localhost:1, 10.0.0.0/8\n", ["--ollama.num_ctx=99"]);
        using var printed = new StringWriter();
        ConfigurationPrinter.Print(first, printed);
        var masked = Assert.Single(Read.Errors(printed.ToString()));
        Assert.Contains("*** stands where check-config --print masked a secret", masked, StringComparison.Ordinal);

        var second = Read.From(printed.ToString().Replace("***", "0123456789abcdef", StringComparison.Ordinal));
        Assert.Empty(second.Errors);
        Assert.Empty(first.ChangedIn(second));
        Assert.Contains("lease = 12s  # /etc/daemon.conf:7", printed.ToString(), StringComparison.Ordinal);
        Assert.Contains("num_ctx = 99  # flag --ollama.num_ctx", printed.ToString(), StringComparison.Ordinal);
    }
}

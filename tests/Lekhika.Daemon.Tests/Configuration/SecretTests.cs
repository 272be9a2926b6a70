using Lekhika.Daemon.Configuration;
using Xunit;

namespace Lekhika.Daemon.Tests.Configuration;

public sealed class SecretTests
{
    private const string Crm = "[secret.CRM]\nvalue = very-secret-value\nusers = alice, bob\nhosts = api.example.com, *.crm.example:8443, http://127.0.0.1:9000\n";

    [Fact]
    public void A_section_gives_a_secret_and_its_rule()
    {
        var secret = Assert.Single(Read.Options(Read.Minimal + Crm).Secrets);
        Assert.Equal(("CRM", "very-secret-value"), (secret.Name, secret.Value!.Reveal()));
        Assert.Null(secret.Objection("alice", null));
        Assert.Contains("not for the user carol", secret.Objection("carol", null), StringComparison.Ordinal);
        Assert.Contains("no user_id", secret.Objection(null, Guid.NewGuid()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://api.example.com/x", true)]
    [InlineData("https://API.example.com:444/x", true)]
    [InlineData("http://api.example.com/x", false)]
    [InlineData("https://api.example.com.evil.org/", false)]
    [InlineData("https://evil.org/api.example.com", false)]
    [InlineData("https://api.example.com@evil.org/", false)]
    [InlineData("https://a.crm.example:8443/", true)]
    [InlineData("https://crm.example:8443/", false)]
    [InlineData("https://a.crm.example/", false)]
    [InlineData("https://evilcrm.example:8443/", false)]
    [InlineData("http://127.0.0.1:9000/", true)]
    [InlineData("http://127.0.0.1:9001/", false)]
    [InlineData("https://127.0.0.1:9000/", false)]
    public void It_may_go_to_its_hosts_only(string url, bool allowed)
    {
        var secret = Assert.Single(Read.Options(Read.Minimal + Crm).Secrets);
        Assert.Equal(allowed, secret.Objection(new Uri(url)) is null);
    }

    [Theory]
    [InlineData("[secret.A]\nvalue = abcdefgh\nusers = *\n", "secret.A.hosts: says where")]
    [InlineData("[secret.A]\nvalue = abcdefgh\nhosts = a.example\n", "secret.A: says neither whose")]
    [InlineData("[secret.A]\nusers = *\nhosts = a.example\n", "secret.A: has no value; set value or value_file, or give the credential secret-A")]
    [InlineData("[secret.A]\nvalue = abc\nusers = *\nhosts = a.example\n", "4 characters or more")]
    [InlineData("[secret.A]\nvalue = abcdefgh\nusers = *\nhosts = *\n", "may not be sent everywhere")]
    [InlineData("[secret.A]\nvalue = abcdefgh\nusers = *\nhosts = a.example/path\n", "without a path")]
    [InlineData("[secret.A]\nvalue = abcdefgh\nusers = *\nhosts = a.example:99999\n", "the port is not a number")]
    [InlineData("[secret.A]\nvalue = abcdefgh\nworkflows = book\nhosts = a.example\n", "expected the id (a UUID)")]
    [InlineData("[secret.A]\nvalue = abcdefgh\nuser = x\nhosts = a.example\n", "did you mean secret.A.users?")]
    [InlineData("[secret.A-B]\nvalue = abcdefgh\n", "[secret.A-B] (/etc/daemon.conf:5): the name of a secret is")]
    [InlineData("[secret.1A]\nvalue = abcdefgh\n", "does not begin with a digit")]
    [InlineData("[secrets]\nA = abcdefgh\n", "did you mean [secret.NAME]?")]
    [InlineData("[secrets.A]\nvalue = abcdefgh\n", "did you mean [secret.A]?")]
    [InlineData("[secret.A]\nvalue_file = relative\nusers = *\nhosts = a.example\n", "expected an absolute path")]
    public void What_is_wrong_is_said_with_its_place_and_without_the_value(string section, string says)
    {
        var errors = Read.Errors(Read.Minimal + section);
        Assert.Contains(errors, error => error.Contains(says, StringComparison.Ordinal));
        Assert.DoesNotContain(errors, static error => error.Contains("abcdefgh", StringComparison.Ordinal));
    }

    [Fact]
    public void The_value_comes_from_a_file_a_credential_the_environment_or_a_flag()
    {
        const string rule = "[secret.crm]\nusers = *\nhosts = a.example\n";
        var sources = Read.Sources(Read.Minimal + rule) with { Credentials = new Dictionary<string, string>(StringComparer.Ordinal) { ["secret-crm"] = "from-credential\n" } };
        Assert.Equal("from-credential", Value(sources));
        Assert.Equal("from-file", Value(Read.Sources(Read.Minimal + rule + "value_file = /run/crm\n") with { ReadFile = static path => path == "/run/crm" ? "from-file\n" : "" }));
        Assert.Equal("from-variable", Value(Read.Sources(Read.Minimal + rule, environment: [("LEKHIKA_SECRET_CRM_VALUE", "from-variable")])));
        Assert.Equal("from-flag", Value(Read.Sources(Read.Minimal + rule, flags: ["--secret.crm.value", "from-flag"])));
        Assert.Equal("by variables", Value(Read.Sources(environment:
            [("LEKHIKA_SECRET_A_B_VALUE", "by variables"), ("LEKHIKA_SECRET_A_B_USERS", "*"), ("LEKHIKA_SECRET_A_B_HOSTS", "a.example")])));

        static string Value(ConfigurationSources sources)
        {
            var result = ConfigurationReader.Read(sources);
            Assert.Empty(result.Errors);
            return Assert.Single(result.Options!.Secrets).Value!.Reveal();
        }
    }

    [Fact]
    public void A_command_that_serves_nothing_does_without_the_values()
    {
        var result = ConfigurationReader.Read(Read.Sources(Read.Minimal + "[secret.A]\nusers = *\nhosts = a.example\n"), ConfigurationPurpose.Try);
        Assert.Empty(result.Errors);
        Assert.Null(Assert.Single(result.Options!.Secrets).Value);
    }

    [Fact]
    public void Printed_it_is_masked_and_reads_back_but_for_the_mask()
    {
        using var writer = new StringWriter();
        ConfigurationPrinter.Print(Read.From(Read.Minimal + Crm), writer);
        Assert.DoesNotContain("very-secret", writer.ToString(), StringComparison.Ordinal);
        Assert.Contains("[secret.CRM]\nvalue = ***", writer.ToString(), StringComparison.Ordinal);
        var again = Read.Errors(writer.ToString());
        Assert.All(again, static error => Assert.Contains("put the secret in its place", error, StringComparison.Ordinal));
    }

    [Fact]
    public void A_host_in_clear_text_that_is_not_this_machine_is_a_warning()
    {
        Assert.Contains(
            Read.Warnings(Read.Minimal + "[secret.A]\nvalue = abcdefgh\nusers = *\nhosts = http://a.example\n"), static warning => warning.Contains("without https", StringComparison.Ordinal));
        Assert.Empty(Read.Warnings(Read.Minimal + Crm));
    }
}

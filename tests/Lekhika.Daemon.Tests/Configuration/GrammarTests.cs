using Lekhika.Daemon.Configuration;
using Xunit;

namespace Lekhika.Daemon.Tests.Configuration;

public sealed class GrammarTests
{
    [Theory]
    [InlineData("key = value", "key", "value")]
    [InlineData("key=value", "key", "value")]
    [InlineData("  key  =  two words  ", "key", "two words")]
    [InlineData("key = value # comment", "key", "value")]
    [InlineData("key = value\t# comment", "key", "value")]
    [InlineData("key = http://host/#top", "key", "http://host/#top")]
    [InlineData("key = a=b", "key", "a=b")]
    [InlineData("key =", "key", "")]
    [InlineData("key = # nothing", "key", "")]
    [InlineData("key = \"a # b\" # comment", "key", "a # b")]
    [InlineData("key = \" edges \"", "key", " edges ")]
    [InlineData("""key = "a \"quoted\" \\ \n\t" """, "key", "a \"quoted\" \\ \n\t")]
    [InlineData("key = it's \"half\" quoted", "key", "it's \"half\" quoted")]
    [InlineData("\"OPENA-01=first:gpt-4o\" = llama3.2", "OPENA-01=first:gpt-4o", "llama3.2")]
    public void An_entry_is_read(string line, string key, string value)
    {
        var text = ConfigurationText.Parse($"[models]\r\n{line}\r\n");
        Assert.Empty(text.Errors);
        Assert.Equal(new ConfigurationEntry("models", key, value, 2), Assert.Single(text.Entries));
    }

    [Theory]
    [InlineData("[worker", "missing its \"]\"")]
    [InlineData("[]", "without a name")]
    [InlineData("[worker] id = x", "text after [worker]")]
    [InlineData("[worker]\nnonsense", "neither")]
    [InlineData("[worker]\n= 5", "without a key")]
    [InlineData("[worker]\nid = \"open", "not closed")]
    [InlineData("[worker]\nid = \"a\" b", "after the closing quote")]
    [InlineData("[worker]\nid = \"\\x\"", "unknown escape")]
    [InlineData("id = x", "before any section")]
    public void What_breaks_the_grammar_is_said(string file, string message)
    {
        var error = Assert.Single(ConfigurationText.Parse(file).Errors);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal(file.Split('\n').Length, error.Line);
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("a # b")]
    [InlineData("#first")]
    [InlineData("\"quoted\"")]
    [InlineData(" edges ")]
    [InlineData("tab\there\nand a line \\ with a backslash")]
    [InlineData("[looks:like]=a section")]
    [InlineData("")]
    public void What_is_quoted_is_read_back_as_it_was(string text)
    {
        var parsed = ConfigurationText.Parse($"[models]\nk = {ConfigurationText.Quote(text)}  # origin\n");
        Assert.Empty(parsed.Errors);
        Assert.Equal(text, Assert.Single(parsed.Entries).Value);
        if (text.Length > 0)
        {
            var keyed = ConfigurationText.Parse($"[models]\n{ConfigurationText.Quote(text, isKey: true)} = v\n");
            Assert.Equal(text, Assert.Single(keyed.Entries).Key);
        }
    }

    [Theory]
    [InlineData("100ms", 100)]
    [InlineData("30s", 30_000)]
    [InlineData("1.5s", 1_500)]
    [InlineData("10m", 600_000)]
    [InlineData("1h", 3_600_000)]
    [InlineData("7d", 604_800_000)]
    [InlineData("300", 300_000)]
    [InlineData("1.0", 1_000)]
    [InlineData("0", 0)]
    public void Durations_are_read(string text, double milliseconds)
    {
        Assert.True(DurationText.TryParse(text, out var duration));
        Assert.Equal(milliseconds, duration.TotalMilliseconds);
        Assert.True(DurationText.TryParse(DurationText.Format(duration), out var again));
        Assert.Equal(duration, again);
    }

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("-1s")]
    [InlineData("10 parsecs")]
    [InlineData("1e300d")]
    [InlineData("1h30m")]
    [InlineData("∞")]
    public void What_is_no_duration_is_refused(string text) => Assert.False(DurationText.TryParse(text, out _));

    [Theory]
    [InlineData("512KB", 524_288)]
    [InlineData("50MB", 52_428_800)]
    [InlineData("1gb", 1_073_741_824)]
    [InlineData("1.5KiB", 1_536)]
    [InlineData("100", 100)]
    [InlineData("100B", 100)]
    public void Sizes_are_read(string text, long bytes)
    {
        Assert.True(SizeText.TryParse(text, out var size));
        Assert.Equal(bytes, size);
        Assert.True(SizeText.TryParse(SizeText.Format(size), out var again));
        Assert.Equal(size, again);
    }

    [Theory]
    [InlineData("MB")]
    [InlineData("-1MB")]
    [InlineData("0.3B")]
    [InlineData("5 bananas")]
    [InlineData("99999999999999999999GB")]
    public void What_is_no_size_is_refused(string text) => Assert.False(SizeText.TryParse(text, out _));

    [Theory]
    [InlineData("worker", "concurency", "worker.concurrency")]
    [InlineData("worker", "max-claimed", "worker.max_claimed")]
    [InlineData("wroker", "id", "worker.id")]
    [InlineData("server", "internal_secret", "auth.internal_secret")]
    [InlineData("worker", "somethingelse", null)]
    public void A_near_name_is_suggested(string section, string key, string? expected) =>
        Assert.Equal(expected, Suggestion.ClosestSetting(section, key, SettingTable.FullNames));
}

using Lekhika.Daemon.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Lekhika.Daemon.Tests.Diagnostics;

public sealed partial class ConsoleLogTests : IDisposable
{
    private readonly StringWriter _output = new();
    private readonly LogLevelSwitch _level = new(LogLevel.Information);

    [Fact]
    public void The_journal_gets_a_priority_and_one_line_an_event()
    {
        using var provider = Provider(ConsoleTarget.Journal);
        var logger = provider.CreateLogger("Lekhika.Daemon.Dispatch.Runner");
        LogRaw(logger, LogLevel.Information, "first\nsecond\r\n<0>forged \e[31mred");
        LogRaw(logger, LogLevel.Warning, "w");
        LogRaw(logger, LogLevel.Error, "e");
        LogRaw(logger, LogLevel.Critical, "c");
        Assert.Equal("<6>Runner: first\\nsecond\\r\\n<0>forged \\u001b[31mred\n<4>Runner: w\n<3>Runner: e\n<2>Runner: c\n", _output.ToString());
    }

    [Fact]
    public void A_terminal_gets_a_short_time_and_a_coloured_level()
    {
        using var provider = Provider(ConsoleTarget.Terminal, hasColour: true);
        LogRaw(provider.CreateLogger("X"), LogLevel.Warning, "careful");
        Assert.Equal("04:13:46 \e[33mwarn \e[0m careful\n", _output.ToString());
    }

    [Fact]
    public void A_pipe_gets_plain_lines_with_the_whole_time()
    {
        using var provider = Provider(ConsoleTarget.Pipe);
        LogRaw(provider.CreateLogger("A.B"), LogLevel.Error, "broken", new InvalidOperationException("why\nso"));
        Assert.StartsWith("2026-11-22T04:13:46.123+00:00 error B: broken | System.InvalidOperationException: why\\nso", _output.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, _output.ToString().Count(character => character == '\n'));
    }

    [Fact]
    public void A_stack_trace_stands_on_lines_of_its_own_on_a_terminal()
    {
        using var provider = Provider(ConsoleTarget.Terminal);
        LogRaw(provider.CreateLogger("A"), LogLevel.Error, "broken", new InvalidOperationException("why"));
        Assert.Equal("04:13:46 error broken\n         System.InvalidOperationException: why\n", _output.ToString());
    }

    [Fact]
    public void Fields_that_the_message_does_not_show_are_appended()
    {
        using var provider = Provider(ConsoleTarget.Journal);
        var logger = provider.CreateLogger("A");
        using (logger.BeginScope(new Dictionary<string, object?>(StringComparer.Ordinal) { ["ExecutionId"] = "e1", ["NodeId"] = "outer", ["RequestId"] = "noise" }))
        using (logger.BeginScope(new Dictionary<string, object?>(StringComparer.Ordinal) { ["NodeId"] = "two words", ["Empty"] = null }))
        {
            LogExecution(logger, "e1");
            List<KeyValuePair<string, object?>> state = [new("Node", "draft"), new("Attempt", 3), new("{OriginalFormat}", "node {Node} is done")];
            logger.Log(LogLevel.Information, default, state, null, (_, _) => "node draft is done");
        }

        // The event's own come first, then the scopes' from the outside in; an inner scope overrides an outer one.
        Assert.Equal(
            "<6>A: execution e1 is done NodeId=\"two words\"\n<6>A: node draft is done Attempt=3 ExecutionId=e1 NodeId=\"two words\"\n", _output.ToString());
    }

    [Fact]
    public void The_level_can_change_while_it_runs_and_the_framework_is_held_one_stricter()
    {
        using var provider = Provider(ConsoleTarget.Journal);
        var ours = provider.CreateLogger("Lekhika.Daemon.X");
        var framework = provider.CreateLogger("Microsoft.AspNetCore.Hosting");
        Assert.True(ours.IsEnabled(LogLevel.Information));
        Assert.False(ours.IsEnabled(LogLevel.Debug));
        Assert.False(framework.IsEnabled(LogLevel.Information));
        Assert.True(framework.IsEnabled(LogLevel.Warning));
        _level.Minimum = LogLevel.Debug;
        Assert.True(ours.IsEnabled(LogLevel.Debug));
        Assert.True(framework.IsEnabled(LogLevel.Information));
        _level.Minimum = LogLevel.None;
        Assert.False(ours.IsEnabled(LogLevel.Critical));
        Assert.False(framework.IsEnabled(LogLevel.None));
    }

    [Fact]
    public void It_is_the_only_log_of_a_host()
    {
        using var services = new ServiceCollection().AddLogging(logging => logging.AddDebug().AddDaemonConsole(_level)).BuildServiceProvider();
        Assert.IsType<ConsoleLogProvider>(Assert.Single(services.GetServices<ILoggerProvider>()));
        _level.Minimum = LogLevel.Debug;
        Assert.True(services.GetRequiredService<ILogger<ConsoleLogTests>>().IsEnabled(LogLevel.Debug));
    }

    [Theory]
    [InlineData("8:1234", "socket:[1234]", true)]
    [InlineData("8:1234", "pipe:[1234]", false)]
    [InlineData("8:1234", "socket:[99]", false)]
    [InlineData("8:1234", null, true)]
    [InlineData(null, "socket:[1234]", false)]
    [InlineData("", null, false)]
    public void The_journal_is_known_by_its_inode(string? variable, string? link, bool expected) => Assert.Equal(expected, ConsoleTargets.IsJournal(variable, link));

    [Theory]
    [InlineData("", "xterm", true)]
    [InlineData("1", "xterm", false)]
    [InlineData(null, "dumb", false)]
    [InlineData(null, null, true)]
    public void Colours_can_be_refused(string? noColour, string? terminal, bool expected) =>
        Assert.Equal(expected, ConsoleTargets.AllowsColour(name => name == "NO_COLOR" ? noColour : terminal));

    public void Dispose() => _output.Dispose();

    private ConsoleLogProvider Provider(ConsoleTarget target, bool hasColour = false) => new(new Direct(_output), new LogLine(target, hasColour), _level, new FixedTime());

    private sealed class Direct(TextWriter output) : ILineSink
    {
        public void Write(string line, bool mayDrop) => output.Write(line);

        public void Dispose() => output.Flush();
    }

    private static void LogRaw(ILogger logger, LogLevel level, string message, Exception? exception = null) =>
        logger.Log(level, default, message, exception, (text, _) => text);

    [LoggerMessage(2, LogLevel.Information, "execution {ExecutionId} is done")]
    private static partial void LogExecution(ILogger logger, string executionId);

    private sealed class FixedTime : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => new(2026, 11, 22, 4, 13, 46, 123, TimeSpan.Zero);
    }
}

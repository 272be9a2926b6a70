using Lekhika.Daemon.Cli;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Diagnostics;
using Lekhika.Daemon.Tests.Http.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.Cli;

public sealed class ProgressPrinterTests : IDisposable
{
    private readonly StringWriter _error = new();

    [Fact]
    public async Task In_a_pipe_each_step_has_a_plain_line_for_its_start_and_its_end()
    {
        var run = new TestRun(Guid.NewGuid());
        await Follow(run, Context(ConsoleTarget.Pipe), () => run.Begin().Say("one\ntwo").Answer("one\ntwo").Complete());
        Assert.Matches("^started ask \\(llm\\)\ncompleted ask after \\d+\\.\\d s\ncompleted in \\d+\\.\\d s, 1 step, 7 tokens read and 5 written\n$", _error.ToString());
    }

    [Fact]
    public async Task On_a_terminal_text_of_several_lines_stands_behind_a_bar_and_cannot_move_the_cursor()
    {
        var run = new TestRun(Guid.NewGuid());
        await Follow(
            run, Context(ConsoleTarget.Terminal), () => run.Begin().Say("one").Say(" more\n").Say("\e[2Jtwo\r\n\nfour").Answer("x").Complete());
        Assert.StartsWith("▶ ask (llm)\n  │ one more\n  │ [2Jtwo\n  │ \n  │ four\n✓ ask ", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_colour_there_is_no_escape_and_with_it_the_end_is_green()
    {
        var plain = new TestRun(Guid.NewGuid());
        await Follow(plain, Context(ConsoleTarget.Terminal), () => plain.Begin().Say("x").Answer("x").Complete());
        Assert.DoesNotContain('\e', _error.ToString());
        var coloured = new TestRun(Guid.NewGuid());
        await Follow(coloured, Context(ConsoleTarget.Terminal, hasColour: true), () => coloured.Begin().Say("x").Answer("x").Complete());
        Assert.Contains("\e[32m✓ ask ", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_does_not_keep_up_is_told_at_the_end_what_it_missed()
    {
        var run = new TestRun(Guid.NewGuid());
        await Follow(
            run,
            Context(ConsoleTarget.Pipe),
            () =>
            {
                run.Begin();
                for (var piece = 0; piece < 2000; piece++) run.Say("x");
                run.Answer("x").Complete();
            });
        Assert.Contains("completed ask", _error.ToString(), StringComparison.Ordinal);
    }

    public void Dispose() => _error.Dispose();

    private static async Task Follow(TestRun run, CommandContext context, Action happen)
    {
        var subscription = run.Live.Subscribe("1.0");
        happen();
        var printer = new ProgressPrinter(context, TimeProvider.System);
        await printer.FollowAsync(run.Live, subscription, TestContext.Current.CancellationToken);
        printer.Summarise(run.Live.Snapshot());
    }

    private CommandContext Context(ConsoleTarget target, bool hasColour = false) => new()
    {
        Output = TextWriter.Null,
        Error = _error,
        ErrorTarget = target,
        HasErrorColour = hasColour,
        Gather = static (_, _) => new ConfigurationSources { Environment = System.Collections.Frozen.FrozenDictionary<string, string>.Empty },
    };
}

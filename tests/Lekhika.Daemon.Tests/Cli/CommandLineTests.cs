using System.Collections.Frozen;
using System.Text.Json;
using Lekhika.Daemon.Cli;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Diagnostics;
using Lekhika.Daemon.Hosting;
using Lekhika.Daemon.Tests.Configuration;
using Xunit;

namespace Lekhika.Daemon.Tests.Cli;

public sealed class CommandLineTests : IDisposable
{
    private const string Loopback = "--auth.allow_insecure_loopback";
    private const string Database = "--database.url=postgres://h/d";

    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();
    private readonly List<string> _calls = [];
    private string? _file;
    private string? _configPath;

    [Fact]
    public async Task Without_a_command_help_is_shown_and_it_counts_as_misuse()
    {
        Assert.Equal(ExitCodes.Usage, await Invoke());
        Assert.Contains("check-config", _output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("run --help")]
    [InlineData("migrate --help")]
    [InlineData("check-config --help")]
    [InlineData("try --help")]
    public async Task Help_has_examples_in_every_command(string arguments)
    {
        Assert.Equal(ExitCodes.Success, await Invoke(arguments.Split(' ')));
        Assert.Contains("Examples:\n  # ", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("--section.key VALUE", _output.ToString(), StringComparison.Ordinal);
        Assert.Empty(_error.ToString());
    }

    [Fact]
    public async Task The_version_names_the_runtime()
    {
        Assert.Equal(ExitCodes.Success, await Invoke("--version"));
        Assert.Matches(@"^lekhika-daemon \d+\.\d+\.\d+\S* \((commit [0-9a-f]{12}, )?\.NET \d+\..*\)\n$", _output.ToString());
    }

    [Theory]
    [InlineData("chek-config", "Did you mean: lekhika-daemon check-config")]
    [InlineData("run --nonsense", "See: lekhika-daemon run --help")]
    [InlineData("migrate --dry-run --status", "exclude each other")]
    [InlineData("try", "argument missing for command: 'try'")]
    [InlineData("try flow.json --input topic", "KEY=VALUE")]
    public async Task What_cannot_be_understood_ends_with_2(string arguments, string message)
    {
        Assert.Equal(ExitCodes.Usage, await Invoke(arguments.Split(' ')));
        Assert.Contains(message, _error.ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.Empty(_output.ToString());
        Assert.Empty(_calls);
    }

    [Fact]
    public async Task An_invalid_configuration_starts_nothing_and_ends_with_78()
    {
        Assert.Equal(ExitCodes.Configuration, await Invoke("run", "--worker.concurrency", "many"));
        Assert.Empty(_calls);
        Assert.Contains("error: worker.concurrency (flag --worker.concurrency): \"many\" does not fit", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains("error: database.url: no database is configured", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains("error: auth.internal_secret: no secret is configured", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains("3 errors", _error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_gets_the_options_and_can_read_them_again()
    {
        _file = "[worker]\nconcurrency = 3\n";
        Assert.Equal(42, await Invoke("run", "--config", "my.conf", Database, Loopback));
        Assert.Equal(["run 3 then 8"], _calls);
        Assert.Equal("my.conf", _configPath);
    }

    [Theory]
    [InlineData("migrate", "migrate Apply")]
    [InlineData("migrate --dry-run", "migrate DryRun")]
    [InlineData("--config x migrate --status", "migrate Status")]
    public async Task Migrate_is_told_what_to_do_and_needs_no_secret(string arguments, string call)
    {
        Assert.Equal(42, await Invoke([.. arguments.Split(' '), Database]));
        Assert.Equal([call], _calls);
    }

    [Fact]
    public async Task Try_gets_its_inputs_and_needs_neither_database_nor_secret()
    {
        Assert.Equal(42, await Invoke("try", "flow.json", "--input", "topic=a=b", "--input", "n=@x", "--ollama.url", "http://gpu:1"));
        Assert.Equal(["try flow.json [topic, a=b] [n, @x] http://gpu:1/"], _calls);
    }

    [Fact]
    public async Task Check_config_says_that_all_is_well()
    {
        _file = Read.Minimal;
        Assert.Equal(ExitCodes.Success, await Invoke("check-config"));
        Assert.Equal("The configuration is valid (/etc/daemon.conf).\n", _output.ToString());
        Assert.Empty(_error.ToString());
    }

    [Fact]
    public async Task Check_config_prints_what_is_in_force_although_it_is_wrong()
    {
        _file = "[database]\nurl = postgres://u:hidden@h/d\n[worker]\nconcurrency = many\n";
        Assert.Equal(ExitCodes.Configuration, await Invoke("check-config", "--print", Loopback));
        Assert.Contains("url = postgres://u:***@h/d  # /etc/daemon.conf:2\n", _output.ToString(), StringComparison.Ordinal);
        Assert.Equal("error: worker.concurrency (/etc/daemon.conf:4): \"many\" does not fit: expected a whole number from 1 to 10000\n", _error.ToString());
        Assert.DoesNotContain("hidden", _output.ToString() + _error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_config_reports_in_json()
    {
        _file = Read.Minimal + "[worker]\nconcurency = 1\n";
        Assert.Equal(ExitCodes.Configuration, await Invoke("check-config", "--json", "--print"));
        using var report = JsonDocument.Parse(_output.ToString());
        Assert.False(report.RootElement.GetProperty("valid").GetBoolean());
        var error = Assert.Single(report.RootElement.GetProperty("errors").EnumerateArray());
        Assert.Equal(
            ("worker.concurency", "/etc/daemon.conf:6", "worker.concurrency"),
            (error.GetProperty("key").GetString(), error.GetProperty("origin").GetString(), error.GetProperty("suggestion").GetString()));
        Assert.Contains(report.RootElement.GetProperty("settings").EnumerateArray(), setting =>
            setting.GetProperty("key").GetString() == "auth.internal_secret" && setting.GetProperty("value").GetString() == "***");
    }

    [Theory]
    [InlineData((int)ConsoleTarget.Journal, false, "<3>error: auth")]
    [InlineData((int)ConsoleTarget.Pipe, false, "error: auth")]
    [InlineData((int)ConsoleTarget.Terminal, true, "\e[31merror:\e[0m auth")]
    public async Task Errors_are_dressed_for_their_reader(int target, bool hasColour, string start)
    {
        await Invoke(["check-config", Database], (ConsoleTarget)target, hasColour);
        Assert.StartsWith(start, _error.ToString(), StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
    }

    private Task<int> Invoke(params string[] arguments) => Invoke(arguments, ConsoleTarget.Pipe, hasColour: false);

    private Task<int> Invoke(string[] arguments, ConsoleTarget target, bool hasColour)
    {
        var handlers = new CommandHandlers
        {
            Run = (configuration, _) =>
            {
                var before = configuration.Options.Worker.Concurrency;
                _file = "[worker]\nconcurrency = 8\n";
                return Called($"run {before} then {configuration.Reread().Options!.Worker.Concurrency}");
            },
            Migrate = (_, mode, _) => Called($"migrate {mode}"),
            Try = (configuration, what, _) => Called($"try {what.File} {string.Join(' ', what.Inputs)} {configuration.Options.Ollama.Urls[0]}"),
        };
        var context = new CommandContext
        {
            Output = _output,
            Error = _error,
            ErrorTarget = target,
            HasErrorColour = hasColour,
            Gather = (path, flags) =>
            {
                _configPath = path;
                return new ConfigurationSources
                {
                    File = _file is null ? null : new ConfigurationFile("/etc/daemon.conf", _file),
                    Flags = flags,
                    Environment = FrozenDictionary<string, string>.Empty,
                };
            },
        };
        return CommandLine.InvokeAsync(arguments, handlers, context, TestContext.Current.CancellationToken);
    }

    private Task<int> Called(string call)
    {
        _calls.Add(call);
        return Task.FromResult(42);
    }
}

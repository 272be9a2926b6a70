using System.Runtime.Versioning;
using Lekhika.Daemon.Configuration;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Lekhika.Daemon.Tests.Configuration;

public sealed class ValidationTests
{
    [Fact]
    public void Every_error_is_reported_at_once_with_key_and_origin()
    {
        var errors = Read.Errors(
            "stray = 1\n[database]\nurl = mysql://x/y\n[worker]\nconcurency = 5\nlease = soon\nlease = 3s\n[modells]\na = b\n",
            ["--ollama.url", "ftp://x", "--wrker.id", "w"],
            ("LEKHIKA_WORKER_LEESE", "4"), ("LEKHIKA_LIMITS_NODES", "0"));
        Assert.Equal(
            [
                "syntax (/etc/daemon.conf:1): \"stray\" stands before any section; write a line such as [worker] above it",
                "[modells] (/etc/daemon.conf:8): unknown section; did you mean [models]?",
                "worker.concurency (/etc/daemon.conf:5): unknown setting; did you mean worker.concurrency?",
                "worker.lease (/etc/daemon.conf:7): given twice; line 6 has it already",
                "LEKHIKA_WORKER_LEESE (environment variable LEKHIKA_WORKER_LEESE): unknown setting; did you mean LEKHIKA_WORKER_LEASE?",
                "wrker.id (flag --wrker.id): unknown setting; did you mean --worker.id?",
                "database.url (/etc/daemon.conf:3): the scheme must be postgres:// or postgresql://",
                "ollama.url (flag --ollama.url): expected a URL that begins with http:// or https://",
                "limits.nodes (environment variable LEKHIKA_LIMITS_NODES): \"0\" does not fit: expected a whole number from 1 to 100000",
                "auth.internal_secret: no secret is configured, so anyone could start executions; set it, or set auth.allow_insecure_loopback = true to serve this machine without one",
            ],
            errors);
    }

    [Fact]
    public void With_errors_there_are_no_options() => Assert.Null(Read.From("[worker]\nid = a b\n").Options);

    [Fact]
    public void A_named_file_that_is_absent_is_an_error_and_the_default_one_is_not()
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        var named = ConfigurationReader.Read(ProcessSources.Gather("/nonexistent/daemon.conf", [], environment));
        Assert.Contains(named.Errors, error => error.ToString().StartsWith("--config (/nonexistent/daemon.conf): the file does not exist", StringComparison.Ordinal));
        environment["LEKHIKA_CONFIG"] = "/nonexistent/other.conf";
        Assert.Contains(ConfigurationReader.Read(ProcessSources.Gather(null, [], environment)).Errors, error => error.Origin?.Place == "/nonexistent/other.conf");

        // Whether or not this machine has the default file, its absence alone is never an error.
        environment.Clear();
        Assert.Equal(ConfigurationSources.DefaultPath, ProcessSources.Gather(null, [], environment).File!.Path);
        Assert.Null(ProcessSources.Gather(null, [], environment).File!.Problem);
    }

    [Fact]
    [SupportedOSPlatform("linux")]
    public void A_file_that_everyone_may_read_and_that_holds_a_secret_is_a_warning()
    {
        using var file = new TemporaryFile(Read.Minimal + "[ollama]\nurl = http://me:hidden@gpu:11434\n");
        File.SetUnixFileMode(file.Path, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        var open = ConfigurationReader.Read(ProcessSources.Gather(file.Path, [], new Dictionary<string, string>(StringComparer.Ordinal)));
        Assert.Equal(["auth.internal_secret", "ollama.url"], open.Warnings.Select(warning => warning.Key));
        Assert.All(open.Warnings, warning => Assert.Contains("every user may read", warning.Message, StringComparison.Ordinal));

        File.SetUnixFileMode(file.Path, UnixFileMode.UserRead);
        Assert.Empty(ConfigurationReader.Read(ProcessSources.Gather(file.Path, [], new Dictionary<string, string>(StringComparer.Ordinal))).Warnings);
    }

    [Fact]
    public void Credentials_are_read_from_their_directory()
    {
        var directory = Directory.CreateTempSubdirectory("lekhika-credentials");
        try
        {
            File.WriteAllText(Path.Combine(directory.FullName, "internal-secret"), "from the credentials directory\n");
            File.WriteAllText(Path.Combine(directory.FullName, "unrelated"), "x");
            var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["CREDENTIALS_DIRECTORY"] = directory.FullName, ["LEKHIKA_DATABASE_URL"] = "postgres://h/d" };
            var sources = ProcessSources.Gather(null, [], environment) with { File = null };
            Assert.Equal("from the credentials directory", ConfigurationReader.Read(sources).Options!.Auth.InternalSecret!.Reveal());
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("http://127.0.0.1:3001", true)]
    [InlineData("http://localhost:3001, http://[::1]:3001", true)]
    [InlineData("http://0.0.0.0:3001", false)]
    [InlineData("http://*:3001", false)]
    [InlineData("http://127.0.0.1:3001, http://192.168.1.4:3001", false)]
    public void Without_a_secret_every_listener_must_be_loopback(string urls, bool isAllowed)
    {
        var errors = Read.Errors(null, ["--database.url=postgres://h/d", "--auth.allow_insecure_loopback", "--server.url", urls]);
        if (isAllowed)
        {
            Assert.Empty(errors);
        }
        else
        {
            Assert.StartsWith("auth.allow_insecure_loopback (flag --auth.allow_insecure_loopback): without a secret every listener must be loopback", Assert.Single(errors), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_socket_alone_will_do_and_nothing_to_listen_on_will_not()
    {
        var options = Read.Options(Read.Minimal + "[server]\nurl = none\nsocket = /run/lekhika-daemon/http.sock\n");
        Assert.Empty(options.Server.Urls);
        Assert.Equal("/run/lekhika-daemon/http.sock", options.Server.Socket);
        Assert.Contains("nothing to listen on", Assert.Single(Read.Errors(Read.Minimal + "[server]\nurl = none\n")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("dev-secret-key", "published default")]
    [InlineData("zebra", "shorter than 16")]
    public void A_weak_secret_is_a_warning(string secret, string message)
    {
        var warning = Assert.Single(Read.Warnings("[database]\nurl = postgres://h/d\n", null, ("INTERNAL_API_SECRET", secret)));
        Assert.Contains(message, warning, StringComparison.Ordinal);
        Assert.DoesNotContain(secret, warning, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--worker.heartbeat=5s", "worker.heartbeat")]
    [InlineData("--server.advertised_url=http://user:pass@10.0.0.2:3001", "server.advertised_url")]
    [InlineData("--worker.max_claimed=5", "worker.max_claimed")]
    [InlineData("--ollama.first_byte_timeout=1h --ollama.total_timeout=30m", "ollama.first_byte_timeout")]
    [InlineData("--limits.node_timeout=8d", "limits.node_timeout")]
    public void Settings_must_fit_together(string flags, string blamed) =>
        Assert.StartsWith(blamed, Assert.Single(Read.Errors(Read.Minimal, flags.Split(' '))), StringComparison.Ordinal);

    [Fact]
    public void Defaults_follow_what_was_set()
    {
        var options = Read.Options(Read.Minimal, ["--worker.lease=2s", "--worker.concurrency=500", "--ollama.total_timeout=1m", "--limits.execution_timeout=10m"]);
        Assert.Equal(TimeSpan.FromMilliseconds(500), options.Worker.Heartbeat);
        Assert.Equal(500, options.Worker.MaxClaimed);
        Assert.Equal(TimeSpan.FromMinutes(1), options.Ollama.FirstByteTimeout);
        Assert.Equal(TimeSpan.FromMinutes(1), options.Ollama.IdleTimeout);
        Assert.Equal(TimeSpan.FromMinutes(10), options.Limits.NodeTimeout);
    }

    [Fact]
    public void A_secret_on_the_command_line_is_a_warning() =>
        Assert.Contains(Read.Warnings(Read.Minimal, ["--auth.internal_secret=0123456789abcdef"]), warning => warning.Contains("shown to every user by ps", StringComparison.Ordinal));

    [Fact]
    public void What_a_command_does_not_need_is_not_asked_for()
    {
        var empty = Read.Sources(null);
        Assert.Equal(["auth.internal_secret", "database.url"], ConfigurationReader.Read(empty).Errors.Select(error => error.Key).Order(StringComparer.Ordinal));
        Assert.Equal(["database.url"], ConfigurationReader.Read(empty, ConfigurationPurpose.Migrate).Errors.Select(error => error.Key));
        Assert.Equal("", ConfigurationReader.Read(empty, ConfigurationPurpose.Try).Options!.Database.ConnectionString.Reveal());
    }

    [Fact]
    public void The_rest_of_the_sections_is_bound()
    {
        var options = Read.Options(Read.Minimal + """
            [server]
            log_level = debug
            body_limit = 1MB
            [ollama]
            url = http://a:11434, http://b:11434
            keep_alive = forever
            num_ctx = 8192
            [openai]
            url = https://api.example/v1
            api_key = sk-1
            [http]
            allow = localhost:9000, 10.0.0.0/8, printer, [::1]:80
            [retention]
            completed = forever
            failed = 7d
            [telemetry]
            otlp_endpoint = http://127.0.0.1:4317
            """);
        Assert.Equal(LogLevel.Debug, options.Server.LogLevel);
        Assert.Equal(1L << 20, options.Server.BodyLimit);
        Assert.Equal(2, options.Ollama.Urls.Length);
        Assert.Equal(Timeout.InfiniteTimeSpan, options.Ollama.KeepAlive);
        Assert.Equal(8192, options.Ollama.ContextTokens);
        Assert.Equal("sk-1", options.OpenAi.ApiKey!.Reveal());
        Assert.Equal(["localhost:9000", "10.0.0.0/8", "printer", "[::1]:80"], options.Http.Allow.Select(entry => entry.ToString()));
        Assert.Null(options.Retention.Completed);
        Assert.Equal(TimeSpan.FromDays(7), options.Retention.Failed);
        Assert.Equal(new Uri("http://127.0.0.1:4317"), options.Telemetry.OtlpEndpoint);
    }

    [Fact]
    public void An_allowed_destination_is_matched_by_host_port_or_network()
    {
        static bool Allows(string entry, string host, int port, string address) =>
            AllowedDestination.Read(entry).Value!.Allows(host, port, System.Net.IPAddress.Parse(address));
        Assert.True(Allows("10.0.0.0/8", "inside", 80, "10.1.2.3"));
        Assert.True(Allows("10.0.0.0/8", "inside", 80, "::ffff:10.1.2.3"));
        Assert.False(Allows("10.0.0.0/8", "inside", 80, "192.168.0.1"));
        Assert.True(Allows("Printer:9100", "printer", 9100, "192.168.0.1"));
        Assert.False(Allows("printer:9100", "printer", 80, "192.168.0.1"));
        Assert.True(Allows("[::1]:80", "[::1]", 80, "::1"));
        Assert.False(Allows("printer", "evil-printer", 80, "192.168.0.1"));
    }

    [Theory]
    [InlineData("http", "allow", "http://host")]
    [InlineData("ollama", "url", ",")]
    [InlineData("http", "allow", "10.0.0.1/8")]
    [InlineData("http", "allow", "host:99999")]
    [InlineData("server", "url", "https://127.0.0.1:3001")]
    [InlineData("server", "url", "http://example.org:80")]
    [InlineData("server", "url", "http://127.0.0.1:99999")]
    [InlineData("server", "url", "http://127.0.0.1:80/path")]
    [InlineData("server", "socket", "relative/path")]
    [InlineData("server", "log_level", "loud")]
    [InlineData("database", "schema", "Robert'); DROP")]
    [InlineData("worker", "id", "a b")]
    [InlineData("nodes", "no good", "http://h/")]
    [InlineData("adopt", "anything", "x")]
    [InlineData("retention", "failed", "never")]
    public void Values_that_do_not_fit_are_errors_with_their_place(string section, string key, string value) =>
        Assert.StartsWith($"{section}.{key} (/etc/daemon.conf:6)", Assert.Single(Read.Errors($"{Read.Minimal}[{section}]\n{key} = {value}\n")), StringComparison.Ordinal);
}

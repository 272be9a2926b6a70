using System.Collections.Frozen;
using Lekhika.Daemon.Configuration;
using Xunit;

namespace Lekhika.Daemon.Tests.Configuration;

public sealed class PrecedenceTests
{
    private const string File = Read.Minimal + "[worker]\nconcurrency = 2\n";

    [Fact]
    public void Weight_rises_from_default_to_file_to_environment_to_flag()
    {
        Assert.Equal(10, Read.Options().Worker.Concurrency);
        Assert.Equal(2, Read.Options(File).Worker.Concurrency);
        Assert.Equal(3, Read.Options(File, environment: ("LEKHIKA_WORKER_CONCURRENCY", "3")).Worker.Concurrency);
        Assert.Equal(4, Read.Options(File, ["--worker.concurrency", "4"], ("LEKHIKA_WORKER_CONCURRENCY", "3")).Worker.Concurrency);
        Assert.Equal(5, Read.Options(File, ["--worker.concurrency", "4", "--worker.concurrency=5"]).Worker.Concurrency);
    }

    [Fact]
    public void The_origin_of_every_value_is_known()
    {
        var settings = Read.From(File, ["--worker.lease", "9s"], ("LEKHIKA_WORKER_ID", "w"), ("MAX_RETRIES", "7")).Settings
            .ToDictionary(setting => setting.Setting.FullName, setting => setting.Origin.Place, StringComparer.Ordinal);
        Assert.Equal("/etc/daemon.conf:6", settings["worker.concurrency"]);
        Assert.Equal("environment variable LEKHIKA_WORKER_ID", settings["worker.id"]);
        Assert.Equal("environment variable MAX_RETRIES", settings["worker.max_retries"]);
        Assert.Equal("flag --worker.lease", settings["worker.lease"]);
        Assert.Equal("default", settings["worker.poll_interval"]);
    }

    [Fact]
    public void An_overridden_bad_value_does_no_harm() =>
        Assert.Equal(4, Read.Options(Read.Minimal + "[worker]\nconcurrency = many\n", ["--worker.concurrency=4"]).Worker.Concurrency);

    [Fact]
    public void Empty_values_count_as_not_set()
    {
        Assert.Equal(2, Read.Options(File, environment: ("LEKHIKA_WORKER_CONCURRENCY", "")).Worker.Concurrency);
        Assert.Equal(10, Read.Options(Read.Minimal + "[worker]\nconcurrency =\n").Worker.Concurrency);
    }

    [Fact]
    public void Credentials_stand_between_file_and_environment_and_lose_one_newline()
    {
        var sources = Read.Sources("[database]\nurl = postgres://lek@db/lek\npassword = from-file\n") with
        {
            Credentials = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["database-password"] = "from-credential\n",
                ["internal-secret"] = "sixteen characters or more\r\n",
            }.ToFrozenDictionary(StringComparer.Ordinal),
        };
        var result = ConfigurationReader.Read(sources);
        Assert.Empty(result.Errors);
        Assert.Contains("Password=from-credential", result.Options!.Database.ConnectionString.Reveal(), StringComparison.Ordinal);
        Assert.Equal("sixteen characters or more", result.Options.Auth.InternalSecret!.Reveal());
        Assert.Contains(result.Settings, setting => setting.ToString() == "auth.internal_secret = ***" && setting.Origin.Place == "credential internal-secret");

        var overridden = ConfigurationReader.Read(sources with { Environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["LEKHIKA_DATABASE_PASSWORD"] = "from-env" } });
        Assert.Contains("Password=from-env", overridden.Options!.Database.ConnectionString.Reveal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_secret_can_stand_in_a_file_of_its_own()
    {
        var sources = Read.Sources("[database]\nurl = postgres://lek@db/lek\n[auth]\ninternal_secret_file = /run/secret\n") with
        {
            ReadFile = path => path == "/run/secret" ? "a secret from a file\n" : throw new FileNotFoundException(path),
        };
        Assert.Equal("a secret from a file", ConfigurationReader.Read(sources).Options!.Auth.InternalSecret!.Reveal());

        var missing = ConfigurationReader.Read(sources with { ReadFile = _ => throw new FileNotFoundException("no such file") });
        Assert.Contains(missing.Errors, error => error.ToString() == "auth.internal_secret_file (/etc/daemon.conf:4): cannot be read: no such file");
    }

    [Fact]
    public void Names_of_the_earlier_workers_work()
    {
        var options = Read.Options(
            null,
            null,
            ("SUPABASE_DB_URL", "postgres://u:p%40ss@db.ref.supabase.co:5432/postgres?sslmode=require"),
            ("OLLAMA_LOCAL_URL", "http://gpu:11434"),
            ("OLLAMA_TIMEOUT", "300"),
            ("WORKER_ID", "worker-1"),
            ("MAX_RETRIES", "5"),
            ("RETRY_DELAY_BASE", "1.5"),
            ("WORKFLOW_WORKER_CONCURRENCY", "7"),
            ("INTERNAL_API_SECRET", "a long enough secret"),
            ("PORT", "3999"));
        Assert.Equal("u@db.ref.supabase.co:5432/postgres", options.Database.Display);
        Assert.Equal(new Uri("http://gpu:11434"), Assert.Single(options.Ollama.Urls));
        Assert.Equal(TimeSpan.FromMinutes(5), options.Ollama.IdleTimeout);
        Assert.Equal("worker-1", options.Worker.Id);
        Assert.Equal(5, options.Worker.MaxRetries);
        Assert.Equal(TimeSpan.FromSeconds(1.5), options.Worker.RetryDelay);
        Assert.Equal(7, options.Worker.Concurrency);
        Assert.Equal("a long enough secret", options.Auth.InternalSecret!.Reveal());
        Assert.Equal(new ListenUrl("127.0.0.1", 3999), Assert.Single(options.Server.Urls));
    }

    [Fact]
    public void A_new_name_wins_over_an_older_one_without_a_word()
    {
        var result = Read.From(Read.Minimal, null, ("MAX_RETRIES", "5"), ("LEKHIKA_WORKER_MAX_RETRIES", "6"));
        Assert.Equal(6, result.Options!.Worker.MaxRetries);
        Assert.Empty(result.Warnings);
    }

    [Fact]
    public void An_older_name_that_outweighs_the_file_is_reported()
    {
        var result = Read.From(Read.Minimal, null, ("DATABASE_URL", "postgres://elsewhere/x"), ("SUPABASE_DB_URL", "postgres://supabase/x"));
        Assert.Equal("supabase/x", result.Options!.Database.Display);
        Assert.Contains(result.Warnings, warning => warning.ToString().StartsWith(
            "database.url (environment variable SUPABASE_DB_URL): the environment outweighs /etc/daemon.conf:2", StringComparison.Ordinal));
        Assert.Contains(result.Warnings, warning => warning.ToString() == "database.url (environment variable DATABASE_URL): ignored, because SUPABASE_DB_URL is set too");
    }

    [Theory]
    [InlineData("REDIS_URL", "PostgreSQL holds the queue")]
    [InlineData("SUPABASE_URL", "database.url")]
    [InlineData("SUPABASE_SERVICE_ROLE_KEY", "database.url")]
    [InlineData("SUPABASE_SERVICE_KEY", "database.url")]
    [InlineData("QUEUE_ENABLED", "PostgreSQL holds the queue")]
    public void Variables_that_mean_nothing_are_answered_with_what_took_their_place(string name, string instead)
    {
        var warning = Assert.Single(Read.Warnings(Read.Minimal, null, (name, "a-value-not-to-be-shown")));
        Assert.StartsWith($"{name} (environment variable {name}): means nothing here", warning, StringComparison.Ordinal);
        Assert.Contains(instead, warning, StringComparison.Ordinal);
        Assert.DoesNotContain("a-value-not-to-be-shown", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void Flags_are_taken_out_of_a_command_line()
    {
        var (others, flags) = SettingFlag.Extract(
            ["--config", "x.conf", "run", "--worker.id", "w", "--models.OPENA-01:gpt-4.1=llama3", "--auth.allow_insecure_loopback", "--worker.lease", "--", "--not.one"]);
        Assert.Equal(["--config", "x.conf", "run", "--", "--not.one"], others);
        Assert.Equal(
            [
                new SettingFlag("worker", "id", "w"),
                new SettingFlag("models", "OPENA-01:gpt-4.1", "llama3"),
                new SettingFlag("auth", "allow_insecure_loopback", "true"),
                new SettingFlag("worker", "lease", null),
            ],
            flags);
        Assert.Contains("worker.lease (flag --worker.lease): needs a value", Assert.Single(Read.Errors(Read.Minimal, ["--worker.lease"])), StringComparison.Ordinal);
    }

    [Fact]
    public void A_boolean_flag_takes_the_next_argument_only_if_it_reads_as_one()
    {
        Assert.Equal(["run"], SettingFlag.Extract(["--auth.allow_insecure_loopback", "run"]).Others);
        Assert.Equal("false", Assert.Single(SettingFlag.Extract(["--auth.allow_insecure_loopback", "false", "run"]).Flags).Value);
    }

    [Fact]
    public void Tables_take_keys_of_the_operator_from_every_source()
    {
        var options = Read.Options(
            Read.Minimal + "[models]\ndefault = llama3.2\n\"OPENA-01-first:gpt-4o\" = llama3:8b\n[nodes]\nscraping = http://127.0.0.1:9000/scrape\n",
            ["--models.mistral=mistral:7b"],
            ("LEKHIKA_NODES_JAVASCRIPT", "http://127.0.0.1:9001/js"),
            ("LEKHIKA_MODELS_gpt-4o", "llama3"));
        Assert.Equal("llama3.2", options.Models.Default);
        Assert.Equal("llama3:8b", options.Models.Aliases["opena-01-FIRST:gpt-4o"]);
        Assert.Equal("mistral:7b", options.Models.Aliases["mistral"]);
        Assert.Equal("llama3", options.Models.Aliases["gpt-4o"]);
        Assert.Equal(new Uri("http://127.0.0.1:9000/scrape"), options.Nodes.Endpoints["scraping"]);
        Assert.Equal(new Uri("http://127.0.0.1:9001/js"), options.Nodes.Endpoints["javascript"]);
    }

    [Fact]
    public void The_state_directory_and_worker_name_follow_the_machine()
    {
        Assert.Equal("/var/lib/lekhika-daemon", Read.Options().Worker.StateDirectory);
        Assert.Equal("/home/me/.local/state/lekhika-daemon", Read.Options(environment: ("HOME", "/home/me")).Worker.StateDirectory);
        Assert.Equal("/state/lekhika-daemon", Read.Options(null, ["--database.url=postgres://h/d", "--auth.internal_secret=0123456789abcdef"],
            ("HOME", "/home/me"), ("XDG_STATE_HOME", "/state")).Worker.StateDirectory);
        var first = Read.Options(environment: [("HOME", "/home/me"), ("STATE_DIRECTORY", "/var/lib/one:/var/lib/two")]).Worker;
        Assert.Equal("/var/lib/one", first.StateDirectory);
        Assert.Matches("^vps1-[0-9a-f]{6}$", first.Id);
        Assert.Equal(first.Id, Read.Options(environment: ("STATE_DIRECTORY", "/var/lib/one")).Worker.Id);
        Assert.NotEqual(first.Id, Read.Options(environment: ("STATE_DIRECTORY", "/var/lib/two")).Worker.Id);
    }

    [Fact]
    public void A_change_between_two_readings_is_found()
    {
        var before = Read.From(File + "[models]\nold = a\nsame = s\n");
        var after = Read.From(Read.Minimal + "[worker]\nconcurrency = 3\n[models]\nnew = b\nsame = s\n");
        Assert.Equal(["models.new", "models.old", "worker.concurrency"], before.ChangedIn(after).Select(setting => setting.FullName).Order(StringComparer.Ordinal));
        Assert.False(before.ChangedIn(after).Single(setting => setting.Section == "worker").IsReloadable);
        Assert.Empty(before.ChangedIn(before));
    }
}

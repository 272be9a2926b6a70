using Lekhika.Daemon.Doctor;
using Lekhika.Daemon.Tests.Doctor.Support;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.Doctor;

/// <summary>What the daemon stands on: database, role, clock, models, unit.</summary>
public sealed class SurroundingsTests(Servers servers)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_database_that_is_away_or_not_there_is_found_and_what_rests_on_it_is_skipped()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var settings = Settings(scene);
        settings["database.url"] = $"postgres://postgres@127.0.0.1:{Ports.Take()}/lekhika";
        var diagnosis = await Diagnosis.OfAsync(settings);
        diagnosis.Finds("database", "nothing listens there", "systemctl enable --now postgresql");
        Assert.Equal("skipped", diagnosis.StatusOf("schema"));
        settings["database.url"] = scene.Cluster.Url(scene.Cluster.ConnectionString("no_such_database"));
        (await Diagnosis.OfAsync(settings)).Finds("database", "no_such_database", "createdb -O postgres no_such_database, then: lekhika-daemon migrate");
        settings["database.url"] = scene.DatabaseUrl.Replace("postgres@", "nobody_here@", StringComparison.Ordinal);
        (await Diagnosis.OfAsync(settings)).Finds("database", "\"nobody_here\" does not exist", "createuser nobody_here");
        settings["database.url"] = "postgres://postgres@/lekhika?host=/tmp/no-such-folder";
        (await Diagnosis.OfAsync(settings)).Finds("database", "no PostgreSQL has its socket in /tmp/no-such-folder for port 5432", "systemctl enable --now postgresql");
        settings["database.url"] = scene.DatabaseUrl + "?sslmode=require";
        (await Diagnosis.OfAsync(settings)).Finds("database", "the server speaks no TLS", "sslmode");
    }

    [Fact]
    public async Task What_migrate_may_not_do_is_found_with_the_grant_that_lets_it()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var role = $"maker_{Guid.NewGuid():N}";
        await scene.Database.ExecuteAsync($"CREATE ROLE {role} LOGIN", Cancellation);
        var settings = Settings(scene);
        settings["database.url"] = scene.DatabaseUrl.Replace("postgres@", role + "@", StringComparison.Ordinal);
        settings["database.schema"] = "elsewhere";
        (await Diagnosis.OfAsync(settings)).Finds("privileges", "CREATE on the database", "GRANT CREATE ON DATABASE");

        await scene.Database.ExecuteAsync("CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.workflow_generation_jobs (id uuid PRIMARY KEY)", Cancellation);
        await scene.Database.ExecuteAsync($"GRANT USAGE ON SCHEMA elsewhere TO {role}", Cancellation);
        (await Diagnosis.OfAsync(settings)).Finds("privileges", "ownership of workflow_generation_jobs (migrate adopts it; its owner is postgres)", "let database.url name that owner (postgres");
        await scene.Database.ExecuteAsync("DROP TABLE elsewhere.workflow_generation_jobs", Cancellation);
        (await Diagnosis.OfAsync(settings)).Finds("privileges", "CREATE on the schema", $"GRANT USAGE, CREATE ON SCHEMA elsewhere TO {role}");
        await scene.Database.ExecuteAsync($"GRANT USAGE, CREATE ON SCHEMA elsewhere TO {role}", Cancellation);
        Assert.Equal("ok", (await Diagnosis.OfAsync(settings)).StatusOf("privileges"));
    }

    [Fact]
    public async Task Keys_of_accounts_that_cannot_be_read_are_found()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var settings = Settings(scene);
        settings["adopt.lekhika"] = "true";
        (await Diagnosis.OfAsync(settings)).Finds("adopt", "user_engines", "lekhika.sql");
        await scene.Database.ExecuteAsync(Lekhika.Tests.Support.Platforms.Lekhika, Cancellation);
        Assert.Equal("ok", (await Diagnosis.OfAsync(settings)).StatusOf("adopt"));
        await scene.Database.ExecuteAsync("INSERT INTO lekhika.mirror_queue (execution_id, platform, error) VALUES (gen_random_uuid(), 'lekhika', 'no')", Cancellation);
        Assert.Contains("could not be written", (await Diagnosis.OfAsync(settings)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_state_directory_that_is_a_file_is_found()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var settings = Settings(scene);
        settings["worker.state_directory"] = "/etc/passwd";
        (await Diagnosis.OfAsync(settings)).Finds("disk", "is a file", "worker.state_directory");
    }

    [Fact]
    public async Task A_database_without_a_schema_is_found()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var settings = Settings(scene);
        settings["database.schema"] = "elsewhere";
        (await Diagnosis.OfAsync(settings)).Finds("schema", "has no tables yet", "lekhika-daemon migrate");
    }

    [Fact]
    public async Task A_role_without_privileges_and_one_from_which_rows_are_hidden_are_found()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var role = $"guest_{Guid.NewGuid():N}";
        await scene.Database.ExecuteAsync($"CREATE ROLE {role} LOGIN", Cancellation);
        await scene.WorkflowAsync(Flows.Trivial);
        var settings = Settings(scene);
        settings["database.url"] = scene.DatabaseUrl.Replace("postgres@", role + "@", StringComparison.Ordinal);
        (await Diagnosis.OfAsync(settings)).Finds("privileges", "lacks", "GRANT");

        await scene.Database.ExecuteAsync($"GRANT USAGE ON SCHEMA lekhika TO {role}", Cancellation);
        await scene.Database.ExecuteAsync($"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA lekhika TO {role}", Cancellation);
        await scene.Database.ExecuteAsync($"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA lekhika TO {role}", Cancellation);
        (await Diagnosis.OfAsync(settings)).Finds("privileges", "USAGE on sequence incarnations", "GRANT USAGE ON ALL SEQUENCES IN SCHEMA lekhika");
        await scene.Database.ExecuteAsync($"GRANT USAGE ON ALL SEQUENCES IN SCHEMA lekhika TO {role}", Cancellation);
        await scene.Database.ExecuteAsync("ALTER TABLE lekhika.workflows ENABLE ROW LEVEL SECURITY", Cancellation);
        var diagnosis = await Diagnosis.OfAsync(settings);
        diagnosis.Finds("row-security", "sees no row of workflows", "BYPASSRLS");
        Assert.Equal("ok", diagnosis.StatusOf("privileges"));
    }

    [Theory]
    [InlineData(3600, "failed")]
    [InlineData(-3600, "failed")]
    [InlineData(5, "warning")]
    public async Task A_clock_that_differs_from_the_databases_is_found(int seconds, string status)
    {
        await using var scene = await Scene.BeginAsync(servers);
        var diagnosis = await Diagnosis.OfAsync(Settings(scene), time: new ShiftedTime(TimeSpan.FromSeconds(seconds)));
        Assert.Equal(status, diagnosis.StatusOf("clock"));
        Assert.Contains("differ by", diagnosis.Message("clock"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Polling_by_choice_is_no_fault()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var settings = Settings(scene);
        settings["database.listen"] = "off";
        Assert.StartsWith("poll only, as configured", (await Diagnosis.OfAsync(settings)).Message("wake-up"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_Ollama_that_is_away_and_a_model_that_is_missing_are_found()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var settings = Settings(scene);
        settings["models.default"] = "no-such-model:70b";
        (await Diagnosis.OfAsync(settings)).Finds("models", "no-such-model:70b", "ollama pull no-such-model:70b");
        settings["ollama.url"] = $"http://127.0.0.1:{Ports.Take()}";
        (await Diagnosis.OfAsync(settings)).Finds("ollama", "does not answer", "systemctl enable --now ollama");
    }

    [Fact]
    public async Task A_state_directory_that_cannot_be_made_is_looked_for_above()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var settings = Settings(scene);
        settings["worker.state_directory"] = "/tmp/not/there/yet";
        Assert.Contains("under /tmp", (await Diagnosis.OfAsync(settings)).Message("disk"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("LoadState=not-found\nActiveState=inactive", "Failed", "there is no unit", "apt install")]
    [InlineData("LoadState=loaded\nActiveState=inactive\nSubState=dead", "Failed", "is not started", "systemctl enable --now lekhika-daemon.service")]
    [InlineData("LoadState=loaded\nActiveState=failed\nSubState=failed\nResult=exit-code\nExecMainStatus=78", "Failed", "configuration is invalid", "configuration")]
    [InlineData("LoadState=loaded\nActiveState=failed\nSubState=failed\nResult=watchdog\nExecMainStatus=6", "Failed", "watchdog", "journalctl")]
    [InlineData("LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=disabled\nStatusText=running 0", "Warning", "reboot", "systemctl enable")]
    public void A_unit_that_does_not_run_or_will_not_is_found(string shown, string status, string message, string fix)
    {
        var check = UnitCheck.Of(ServiceUnit.Parse("lekhika-daemon.service", shown), "lekhika-daemon.service");
        Assert.Equal(status, check.Status.ToString());
        Assert.Contains(message, check.Message, StringComparison.Ordinal);
        Assert.Contains(fix, check.Fix, StringComparison.Ordinal);
    }

    [Fact]
    public void A_unit_that_runs_says_how_it_is_doing()
    {
        var unit = ServiceUnit.Parse("lekhika-daemon.service", "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nStatusText=running 2, queued 3, waiting 0\n");
        var check = UnitCheck.Of(unit, unit.Name);
        Assert.Equal(CheckStatus.Ok, check.Status);
        Assert.Contains("running 2, queued 3", check.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_configuration_file_tells_its_unit_and_the_unit_its_state()
    {
        Assert.Equal("lekhika-daemon.service", ServiceUnit.NameFor("/etc/lekhika-daemon/daemon.conf"));
        Assert.Equal("lekhika-daemon@two.service", ServiceUnit.NameFor("/etc/lekhika-daemon/two.conf"));
        Assert.Null(ServiceUnit.NameFor("/tmp/daemon.conf"));
        Assert.Equal("/var/lib/lekhika-daemon/two", ServiceUnit.StateDirectoryOf("lekhika-daemon@two.service"));
        Assert.Equal(TimeSpan.FromSeconds(90), MachineChecks.Seconds("1min 30s"));
        Assert.Null(MachineChecks.Seconds("infinity"));
    }

    private static Dictionary<string, string> Settings(Scene scene) => new(StringComparer.Ordinal)
    {
        ["database.url"] = scene.DatabaseUrl,
        ["ollama.url"] = scene.Ollama.BaseAddress.ToString().TrimEnd('/'),
        ["server.url"] = $"http://127.0.0.1:{Ports.Take()}",
        ["auth.internal_secret"] = DaemonSetup.Secret,
        ["worker.state_directory"] = Path.GetTempPath(),
    };

    private sealed class ShiftedTime(TimeSpan shift) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + shift;
    }
}

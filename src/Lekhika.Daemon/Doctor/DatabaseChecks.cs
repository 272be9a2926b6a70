using System.Globalization;
using System.Net.Sockets;
using Lekhika.Daemon.Configuration;
using Lekhika.Postgres;
using Lekhika.Postgres.Migrations;
using Npgsql;

namespace Lekhika.Daemon.Doctor;

/// <summary>Is the database there, may the role do what the daemon does, and does it see what there is?</summary>
internal sealed class DatabaseChecks(DaemonOptions options, DoctorContext context)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly string[] Later = ["schema", "privileges", "row-security", "clock", "wake-up", "connections", "workers"];

    private readonly DatabaseAdvice _advice = new(options.Database);

    /// <summary>The daemons at work on the database.</summary>
    public IReadOnlyList<WorkerFacts> Workers { get; private set; } = [];

    /// <summary>Whether it was reached and has a schema that this build can work on.</summary>
    public bool IsServed { get; private set; }

    public async Task<List<Check>> RunAsync(CancellationToken cancellationToken)
    {
        await using var database = new Database(options.Database.ConnectionString.Reveal(), options.Database.Schema);
        var inspection = new Inspection(database);
        DatabaseFacts facts;
        SchemaVersion? schema;
        TimeSpan skew;
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(Patience);
            var before = context.Time.GetUtcNow();
            facts = await inspection.LookAsync(limit.Token);
            var after = context.Time.GetUtcNow();
            // The database's clock was read between the two.
            skew = facts.Now < before ? before - facts.Now : facts.Now > after ? facts.Now - after : TimeSpan.Zero;
            schema = await SchemaAsync(database, limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Unreached($"no answer within {Patience.TotalSeconds:0} s", "is a firewall in between? see that the host and port of database.url are right");
        }
        catch (Exception exception) when (exception is NpgsqlException or SocketException or IOException or TimeoutException or System.Security.Authentication.AuthenticationException)
        {
            var (message, fix) = _advice.Of(exception);
            return Unreached(message, fix);
        }

        Workers = facts.Workers;
        IsServed = schema?.IsServable == true;
        var checks = new List<Check> { Reached(facts), Schema(schema) };
        checks.Add(Privileges(facts));
        checks.Add(await RowSecurityAsync(inspection, facts, cancellationToken));
        checks.Add(Clock(skew));
        checks.Add(await WakeUpAsync(inspection, cancellationToken));
        checks.Add(Connections(facts));
        checks.Add(Colleagues(facts.Workers));
        return checks;
    }

    /// <summary>The schema's version; null if the role may not look.</summary>
    private static async Task<SchemaVersion?> SchemaAsync(Database database, CancellationToken cancellationToken)
    {
        try
        {
            return await new Migrator(database).VersionAsync(cancellationToken);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            return null;
        }
    }

    private List<Check> Unreached(string message, string fix) =>
    [
        Check.Failed("database", $"{options.Database.Display} cannot be used: {message}", fix),
        .. Later.Select(static name => Check.Skipped(name, "the database is not reached")),
    ];

    private Check Reached(DatabaseFacts facts) => facts.ReadOnly
        ? Check.Failed("database", $"{options.Database.Display} can only be read", "database.url must name the primary, not a standby; default_transaction_read_only must be off")
        : Check.Ok("database", $"{options.Database.Display} answers, PostgreSQL {facts.ServerVersion}, as {facts.Role}");

    private Check Schema(SchemaVersion? schema)
    {
        var name = options.Database.Schema;
        if (schema is null) return Check.Skipped("schema", $"this role may not look into schema {name}");
        if (schema.Version == 0) return Check.Failed("schema", $"schema {name} has no tables yet", "lekhika-daemon migrate");
        if (schema.IsServable)
        {
            return schema.Version > Migration.Latest
                ? Check.Warning("schema", $"schema {name} is version {schema.Version}, newer than this build ({Migration.Latest}), which can serve it", "upgrade the package")
                : Check.Ok("schema", $"schema {name} is version {schema.Version}");
        }

        return schema.Version < Migration.Latest
            ? Check.Failed("schema", $"schema {name} is version {schema.Version}, this build needs {Migration.Latest}", "lekhika-daemon migrate")
            : Check.Failed("schema", $"schema {name} is version {schema.Version} and asks for a daemon of {schema.MinReader} at least; this one is {Migration.Latest}", "upgrade the package");
    }

    private Check Privileges(DatabaseFacts facts) => facts.Missing.Count == 0
        ? Check.Ok("privileges", $"{facts.Role} may do what the daemon does")
        : Check.Failed("privileges", $"{facts.Role} lacks {string.Join("; ", facts.Missing.Take(6))}{(facts.Missing.Count > 6 ? $" and {facts.Missing.Count - 6} more" : "")}",
            _advice.For(facts.Missing));

    private static async Task<Check> RowSecurityAsync(Inspection inspection, DatabaseFacts facts, CancellationToken cancellationToken)
    {
        if (facts.Guarded.Count == 0) return Check.Ok("row-security", "no row is hidden from this role");
        var hidden = await inspection.HiddenAsync(facts.Guarded, cancellationToken);
        var seen = hidden.Count > 0 ? $"; it sees no row of {string.Join(", ", hidden)}, although there are some" : "";
        return Check.Failed("row-security",
            $"row-level security applies to {facts.Role} on {string.Join(", ", facts.Guarded)} and hides rows from the daemon{seen}",
            $"let database.url name the owner of the tables, or as a superuser: psql -d {facts.Database} -c 'ALTER ROLE \"{facts.Role}\" BYPASSRLS' (on Supabase: use the role postgres, not anon or authenticated)");
    }

    private static Check Clock(TimeSpan skew)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{skew.TotalSeconds:0.0} s");
        const string fix = "let both machines follow NTP: timedatectl set-ntp true; timedatectl timesync-status";
        if (skew > TimeSpan.FromSeconds(30)) return Check.Failed("clock", $"this machine's clock and the database's differ by {text}", fix);
        return skew > TimeSpan.FromSeconds(2)
            ? Check.Warning("clock", $"this machine's clock and the database's differ by {text}", fix)
            : Check.Ok("clock", "this machine's clock and the database's agree");
    }

    private async Task<Check> WakeUpAsync(Inspection inspection, CancellationToken cancellationToken)
    {
        var poll = $"the queue is looked at every {DurationText.Format(options.Worker.PollInterval)}";
        if (options.Database.Listen == ListenMode.Off) return Check.Ok("wake-up", $"poll only, as configured: {poll}");
        try
        {
            if (await inspection.NotificationsArriveAsync(TimeSpan.FromSeconds(2), cancellationToken)) return Check.Ok("wake-up", "LISTEN works: new rows wake the daemon");
        }
        catch (NpgsqlException exception)
        {
            return Check.Warning("wake-up", $"poll only, since LISTEN fails ({exception.Message}): {poll}", "set database.listen = off, or connect past the pooler");
        }

        return Check.Warning("wake-up", $"poll only: notifications do not arrive, as behind a transaction pooler; {poll}",
            "connect past the pooler (Supabase: port 5432 instead of 6543), or say pgbouncer=true in database.url so that it is not tried");
    }

    private Check Connections(DatabaseFacts facts)
    {
        var free = facts.MaxConnections - facts.UsedConnections;
        var text = $"{facts.UsedConnections} of {facts.MaxConnections} connections are in use, a daemon takes up to {options.Database.PoolSize}";
        return free < options.Database.PoolSize && Workers.Count == 0
            ? Check.Warning("connections", text, "raise max_connections in postgresql.conf, or lower database.pool_size")
            : Check.Ok("connections", text);
    }

    private static Check Colleagues(IReadOnlyList<WorkerFacts> workers)
    {
        if (workers.Count == 0) return Check.Warning("workers", "no daemon is at work on this database", "start the daemon; if it runs, it uses another database or schema: compare database.url");
        var twins = workers.GroupBy(static worker => worker.WorkerId, StringComparer.Ordinal).FirstOrDefault(static group => group.Count() > 1);
        if (twins is not null)
        {
            return Check.Failed("workers", $"{twins.Count()} daemons are at work under the name {twins.Key} ({string.Join(", ", twins.Select(static worker => worker.Host))})",
                "give each a name of its own (worker.id) or stop one; each needs a state directory of its own too");
        }

        var strangers = workers.Select(static worker => worker.Version).Distinct(StringComparer.Ordinal).ToList();
        var names = string.Join(", ", workers.Take(8).Select(static worker => $"{worker.WorkerId} on {worker.Host} ({worker.Url ?? "no URL"})"));
        return strangers.Count > 1
            ? Check.Warning("workers", $"daemons of versions {string.Join(", ", strangers)} share this database: {names}", "upgrade them all; two versions side by side are meant for the time of an upgrade")
            : Check.Ok("workers", $"{workers.Count} at work: {names}");
    }
}

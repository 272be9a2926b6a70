using Lekhika.Daemon.Configuration;
using Lekhika.Postgres;
using Lekhika.Postgres.Adopt;
using Npgsql;

namespace Lekhika.Daemon.Doctor;

/// <summary>Can the keys of an earlier platform's accounts be read, and are its tables kept true? Says nothing where there is no such platform.</summary>
internal sealed class AdoptChecks(DaemonOptions options)
{
    private const string Name = "adopt";
    private const string Scripts = "/usr/share/doc/lekhika-daemon/examples/adopt";

    /// <param name="isServed">Whether the database was reached and has the schema.</param>
    /// <param name="cancellationToken">Aborts the check.</param>
    public async Task<List<Check>> RunAsync(bool isServed, CancellationToken cancellationToken)
    {
        if (!isServed) return options.Adopt.Lekhika ? [Check.Skipped(Name, "the database is not reached, or has no schema")] : [];
        await using var database = new Database(options.Database.ConnectionString.Reveal(), options.Database.Schema);
        var checks = new List<Check>();
        try
        {
            if (options.Adopt.Lekhika)
            {
                await new EngineKeys(database, options.Adopt.LekhikaSchema).OfUserAsync(Guid.Empty, cancellationToken);
                checks.Add(Check.Ok(Name, "the keys of accounts can be read"));
            }

            if (await new Mirrors(database).BacklogAsync(cancellationToken) is > 0 and var behind)
            {
                checks.Add(Check.Warning(Name, $"{behind} executions could not be written to the earlier platform's table yet",
                    $"psql: SELECT * FROM {options.Database.Schema}.mirror_queue says why; it is tried again by itself"));
            }
        }
        catch (EngineKeysException exception)
        {
            checks.Add(Check.Failed(Name, $"the keys of accounts cannot be read: {exception.Message}",
                $"adopt.lekhika_schema must be the platform's schema (now {options.Adopt.LekhikaSchema}), and as a superuser: psql -d DATABASE -f {Scripts}/lekhika.sql, which grants what is needed"));
        }
        catch (NpgsqlException exception)
        {
            checks.Add(Check.Warning(Name, $"the earlier platform's tables could not be looked at: {exception.Message}", "mend what 'privileges' says above"));
        }

        return checks;
    }
}

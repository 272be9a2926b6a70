using Lekhika.Daemon.Cli;
using Lekhika.Daemon.Configuration;

namespace Lekhika.Daemon.Doctor;

// From the inside out: what a check needs is checked before it, and what rests on something broken is skipped with that reason, so that the first
// cross is the cause and the lines below it are not noise.
//
//   configuration ─► unit ─► listener, secret, caller ─► database, schema, privileges …, adopt ─► proxy ─► models, memory ─► disk, limits ─► run

/// <summary>What <c>doctor</c> is asked to do.</summary>
/// <param name="IsJson">Report in JSON.</param>
/// <param name="Url">The public URL; null leaves the proxy out.</param>
/// <param name="Run">Whether to run a test execution.</param>
/// <param name="CallerSecret">The secret that a caller has; null if it was not given.</param>
internal sealed record DoctorArguments(bool IsJson, Uri? Url, bool Run, string? CallerSecret);

/// <summary><c>lekhika-daemon doctor</c>: looks at everything and says what is wrong and what mends it.</summary>
internal static class Examination
{
    public static async Task<int> RunAsync(
        TextWriter output, ConfigurationSources sources, DoctorArguments arguments, TimeProvider time, CancellationToken cancellationToken)
    {
        var report = new DoctorReport(output, arguments.IsJson);
        var unitName = ServiceUnit.NameFor(sources.File?.Path);
        // The unit gives its process the folder's name; by hand the same worker must come out.
        if (unitName is not null && sources.Variable("STATE_DIRECTORY") is null)
        {
            sources = sources with
            {
                Environment = new Dictionary<string, string>(sources.Environment, StringComparer.Ordinal) { ["STATE_DIRECTORY"] = ServiceUnit.StateDirectoryOf(unitName) },
            };
        }

        var result = ConfigurationReader.Read(sources);
        report.Add(ConfigurationChecks.Of(result, sources));
        var unit = unitName is null ? null : await ServiceUnit.AskAsync(unitName, cancellationToken);
        report.Add(UnitCheck.Of(unit, unitName));
        if (result.Options is not { } options)
        {
            report.IsConfigurationInvalid = true;
            report.Add(Check.Skipped("others", "everything else waits for a valid configuration"));
            report.Finish(workerId: null);
            return report.ExitCode;
        }

        ServiceUser.Become(sources.File?.Path);
        var context = new DoctorContext
        {
            UnitName = unitName,
            Unit = unit,
            IsWorkerNamed = unitName is not null || result.Settings.Any(static setting =>
                setting.Origin.Kind != OriginKind.Default && (setting.Setting == Configuration.WorkerSettings.Id || setting.Setting == Configuration.WorkerSettings.StateDirectory)),
            Fingerprint = options.Auth.InternalSecret is { } secret ? CallerSecretCheck.Fingerprint(secret.Reveal()) : "",
            Time = time,
        };
        await RunAsync(report, options, context, arguments, cancellationToken);
        report.Finish(options.Worker.Id);
        return report.ExitCode;
    }

    private static async Task RunAsync(
        DoctorReport report, DaemonOptions options, DoctorContext context, DoctorArguments arguments, CancellationToken cancellationToken)
    {
        var listeners = new ListenerChecks(options, context);
        report.Add(await listeners.RunAsync(cancellationToken));
        using var local = listeners.Local;
        report.Add(CallerSecretCheck.Of(options.Auth, arguments.CallerSecret));
        var database = new DatabaseChecks(options, context);
        report.Add(await database.RunAsync(cancellationToken));

        report.Add(await new AdoptChecks(options).RunAsync(database.IsServed, cancellationToken));

        List<Check> proxied = [];
        using var remote = arguments.Url is null ? null : new HttpProbe(arguments.Url, options.Auth.InternalSecret?.Reveal());
        if (remote is null) report.Add(Check.Skipped("proxy", "give the URL that callers use: --url https://workflows.example.org"));
        else report.Add(proxied = await new ProxyChecks(arguments.Url!, remote, listeners.Found, database.Workers).RunAsync(cancellationToken));

        var models = new ModelChecks(options, context.Time);
        report.Add(await models.RunAsync(cancellationToken));
        report.Add(new MachineChecks(options, context).Run());
        if (arguments.Run && proxied.Exists(static check => check.Status == CheckStatus.Failed))
        {
            report.Add(Check.Skipped("run", "no test execution: the public URL does not lead here as it should, see proxy-health and proxy-execute"));
            return;
        }

        report.Add(await TryAsync(remote ?? local, arguments, models.HasDefault, context, cancellationToken));
    }

    private static async Task<Check> TryAsync(
        HttpProbe? probe, DoctorArguments arguments, bool withModel, DoctorContext context, CancellationToken cancellationToken)
    {
        if (!arguments.Run) return Check.Skipped("run", "--run runs a small execution from end to end");
        if (probe is null) return Check.Failed("run", "no test execution: the daemon is not reached", "mend what failed above, then ask again");
        return await new TrialRun(probe, arguments.Url?.ToString().TrimEnd('/') ?? "the daemon's own address", withModel, context).RunAsync(cancellationToken);
    }
}

using System.Globalization;
using Lekhika.Daemon.Cli;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Diagnostics;
using Lekhika.Daemon.Dispatch;
using Lekhika.Daemon.Dispatch.Spooling;
using Lekhika.Daemon.Generation;
using Lekhika.Daemon.Http;
using Lekhika.Daemon.Http.Adopt;
using Lekhika.Daemon.Http.Browse;
using Lekhika.Daemon.Http.Jobs;
using Lekhika.Daemon.Http.Signals;
using Lekhika.Daemon.Live;
using Lekhika.Daemon.Nodes;
using Lekhika.Daemon.Nodes.Secrets;
using Lekhika.Daemon.Schedules;
using Lekhika.Inference;
using Lekhika.Postgres;
using Lekhika.Postgres.Adopt;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Jobs;
using Lekhika.Postgres.Queue;
using Lekhika.Postgres.Schedules;
using Lekhika.Postgres.Signals;
using Lekhika.Postgres.Upkeep;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Hosting;

/// <summary>
/// The composition: everything one daemon is made of, put together in one place, by hand.
///
///   Configuration ─► ModelPool ─► WorkflowCompiler ─► Worker (claims, owners, journal) ─► LiveExecutions ─► HTTP
///
/// Started once the listener is bound and the database has been tried; a database or an Ollama that is away makes it degraded, not dead.
/// </summary>
internal sealed partial class DaemonHost : IAsyncDisposable
{
    private static readonly TimeSpan Stuck = TimeSpan.FromSeconds(20);

    private readonly DaemonState _state;
    private readonly Database _database;
    private readonly ModelPool _models;
    private readonly ModelSettings _names;
    private readonly ChildSource _children;
    private readonly SecretVault _secrets;
    private readonly RememberingCompiler _compiler;
    private readonly DefinitionCache _definitions;
    private readonly GenerationJobs _jobs;
    private volatile CompiledWorkflow _generation;
    private readonly DatabaseMonitor _monitor;
    private readonly StateDirectory _directory;
    private readonly Worker _worker;
    private readonly Upkeep _upkeep;
    private readonly Scheduler _scheduler;
    private readonly WebApplication _http;
    private readonly OtlpExport? _telemetry;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ILogger _workflowLogger;
    private volatile DaemonOptions _options;
    private readonly CancellationTokenSource _end = new();
    private readonly List<Task> _background = [];

    private DaemonHost(DaemonOptions options, ILoggerFactory loggers, TimeProvider time)
    {
        (_options, _time, _logger, _workflowLogger) = (options, time, loggers.CreateLogger<DaemonHost>(), loggers.CreateLogger("Lekhika.Workflow"));
        Addresses = string.Join(", ", options.Server.Urls);
        _state = new DaemonState { Slots = options.Worker.Concurrency };
        _database = new Database(options.Database.ConnectionString.Reveal(), options.Database.Schema);
        _models = new ModelPool(
            ModelSettings.PoolOptions(options), time, Random.Shared, loggers,
            new SharedTurn(new ModelTurns(_database), () => _state.Incarnation, time, loggers.CreateLogger<SharedTurn>()));
        _names = new ModelSettings(_state, options.Models);
        _children = new ChildSource(new ChildReader(_database), time);
        _secrets = new SecretVault(options.Secrets);
        _compiler = new RememberingCompiler(WorkflowSettings.Compiler(options, _models, _names, _workflowLogger, time, _children, _secrets));
        var clock = new DatabaseClock(time);
        var reader = new ExecutionReader(_database);
        _jobs = new GenerationJobs(_database);
        _generation = Generation(options);
        _definitions = new DefinitionCache(_compiler, reader.DefinitionAsync, time) { BuiltIn = document => GenerationWorkflow.IsMeant(document) ? _generation : null };
        _monitor = new DatabaseMonitor(_database, _state, clock, time, loggers.CreateLogger<DatabaseMonitor>());
        var place = $"{_database.Host}/{_database.Name}/{options.Database.Schema}";
        _directory = new StateDirectory(options.Worker.StateDirectory, place, loggers.CreateLogger<StateDirectory>());
        var spool = new Spool(options.Worker.StateDirectory, place, time, loggers.CreateLogger<Spool>());
        Live = new LiveExecutions();
        _worker = new Worker(
            _database, DispatchSettings.Worker(options), _monitor, clock, _definitions, Live, _state, _directory, spool,
            new ExecutionSlots(options.Worker.Concurrency), time, loggers);
        _upkeep = new Upkeep(
            new CompletionHook(_database), new Mirrors(_database), new Retention(_database), _monitor, _state, time, loggers.CreateLogger<Upkeep>())
        {
            Ages = Ages(options),
        };
        var schedules = new ScheduleStore(_database);
        _scheduler = new Scheduler(schedules, _monitor, time, loggers.CreateLogger<Scheduler>());
        _telemetry = OtlpExport.Start(options.Telemetry, Environment.GetEnvironmentVariable, VersionText.Version, options.Worker.Id);
        _http = HttpServer.Build(new HttpServerContext
        {
            Server = options.Server,
            Auth = options.Auth,
            WorkerId = options.Worker.Id,
            Version = VersionText.Version,
            Intake = _worker,
            Live = Live,
            State = _state,
            Store = new ExecutionStore(reader, new RunReader(_database)),
            Signals = new SignalStore(new SignalWriter(_database)),
            Browse = new BrowseStore(_database),
            Jobs = new JobStore(_jobs),
            Generation = () => _options.Generation,
            MostInputBytes = () => _options.Limits.InputsSize,
            Compiler = _compiler,
            Schedules = new ScheduleBook(schedules),
            EngineKeys = options.Adopt.Lekhika ? new EngineKeyStore(new EngineKeys(_database, options.Adopt.LekhikaSchema)) : null,
            AllowsKeyControl = options.Adopt.AllowApiKeyControl,
            Clock = clock,
            Time = time,
            Loggers = loggers,
            StartedAt = time.GetTimestamp(),
            Lanes = _models.Snapshot,
            Spooled = _directory.CountSpooled,
            Concurrency = options.Worker.Concurrency,
            AdvertisedUrl = DispatchSettings.Url(options),
            OllamaUrl = () => _options.Ollama.Urls.Select(static url => Redaction.Url(url.ToString())).FirstOrDefault(),
            DefaultModel = () => _options.Models.Default,
            Inherited = InheritedSockets.OfProcess(),
        });
    }

    public LiveExecutions Live { get; }

    /// <summary>Where it listens, for people.</summary>
    public string Addresses { get; }

    /// <summary>Whether claim loop and journal go round. Without a database there is nothing to go round, which is no fault.</summary>
    public bool MakesProgress => _worker.SinceProgress < Stuck;

    /// <summary>How it is doing, in one line.</summary>
    public string StatusLine => _state switch
    {
        { DatabaseProblem: { } problem } => $"degraded: {problem}",
        { Draining: true } => string.Create(CultureInfo.InvariantCulture, $"stopping: {_state.Held} executions under way"),
        _ when _state.Endpoints.Count > 0 && _state.Endpoints.All(static endpoint => !endpoint.Reachable) =>
            $"degraded: no model endpoint answers ({_state.Endpoints[0].Problem})",
        _ => string.Create(CultureInfo.InvariantCulture, $"running {_state.Held}, queued {_state.Queued ?? 0}, waiting {_state.Parked ?? 0}"),
    };

    /// <summary>Puts it together, binds the listener, tries the database once.</summary>
    public static async Task<DaemonHost> StartAsync(DaemonOptions options, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        var host = new DaemonHost(options, loggers, time);
        try
        {
            // Not given up half-way: a listener that is told to stop while it binds says that it is broken.
            await host._http.StartAsync(CancellationToken.None);
            cancellationToken.ThrowIfCancellationRequested();
            host._background.Add(host._monitor.RunAsync(host._end.Token));
            host._background.Add(host.WatchModelsAsync(host._end.Token));
            host._background.Add(host._upkeep.RunAsync(host._end.Token));
            host._background.Add(host._scheduler.RunAsync(host._end.Token));
            host._background.Add(new QuietCollector(time).RunAsync(host._end.Token));
            await host._monitor.Tried.Task.WaitAsync(cancellationToken);
            return host;
        }
        catch (OperationCanceledException)
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Works until told to stop, then drains.</summary>
    public async Task RunAsync(ProcessSignals signals, SystemdNotifier notifier)
    {
        await using var stopping = signals.StopClaiming.Register(() =>
        {
            _state.Draining = true;
            notifier.Stopping(StatusLine);
            notifier.ExtendTimeout(_worker.DrainTimeout + TimeSpan.FromSeconds(15));
        });
        await _worker.RunAsync(signals.StopClaiming, signals.AbortWorking);
    }

    /// <summary>Takes over what can change while it runs. Called on the signal's own thread, one at a time, so it waits for the models.</summary>
    /// <exception cref="ArgumentException">The model settings cannot be used; everything stays as it was.</exception>
    public void Reload(DaemonOptions options)
    {
        _models.ReplaceOptionsAsync(ModelSettings.PoolOptions(options)).GetAwaiter().GetResult();
        _names.Replace(options.Models);
        _compiler.Replace(WorkflowSettings.Compiler(options, _models, _names, _workflowLogger, _time, _children, _secrets));
        _secrets.Replace(options.Secrets);
        _generation = Generation(options);
        _definitions.Clear();
        _upkeep.Ages = Ages(options);
        _worker.Reload(DispatchSettings.Worker(options));
        _options = options;
    }

    public async ValueTask DisposeAsync()
    {
        // The last figures are told while there still is something to ask for them.
        if (_telemetry is not null) await Task.Run(_telemetry.Dispose);
        // Event streams end when the application stops; the drain is over by now.
        await _http.StopAsync();
        await _http.DisposeAsync();
        await _end.CancelAsync();
        await Task.WhenAll(_background);
        await _models.DisposeAsync();
        await _database.DisposeAsync();
        _directory.Dispose();
        _end.Dispose();
    }

    /// <summary>Asks the model endpoints now and then how they are; says so when that changes.</summary>
    private async Task WatchModelsAsync(CancellationToken cancellationToken)
    {
        string? said = null;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                _state.Endpoints = await _models.CheckAsync(cancellationToken);
                var problem = string.Join("; ", _state.Endpoints.Where(static endpoint => !endpoint.Reachable).Select(static endpoint => endpoint.Problem));
                if (problem != said)
                {
                    if (problem.Length > 0) LogModelsAway(_logger, problem);
                    else LogModelsThere(_logger, string.Join(", ", _state.Endpoints.Select(static endpoint => $"{endpoint.Address} ({endpoint.Models.Length} models)")));
                }

                said = problem;
                await Task.Delay(problem.Length > 0 ? TimeSpan.FromSeconds(3) : TimeSpan.FromSeconds(15), _time, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private static RetentionAges Ages(DaemonOptions options) => new(options.Retention.Completed, options.Retention.Failed, options.Retention.Cancelled);

    private CompiledWorkflow Generation(DaemonOptions options)
    {
        var runners = WorkflowSettings.Runners(options, _models, _names, _workflowLogger, _time, _children);
        var services = GenerationSetup.Services(
            options, _compiler, type => runners.Find(type) is not null, _models, _names, new RowJobFace(_jobs, _state, _workflowLogger), _time);
        if (services.CatalogueProblem is { } problem) LogCatalogue(_logger, problem);
        return GenerationWorkflow.Compile(services);
    }

    [LoggerMessage(1101, LogLevel.Warning, "Models: {Problem}. Executions that need one wait and retry.")]
    private static partial void LogModelsAway(ILogger logger, string problem);

    [LoggerMessage(1103, LogLevel.Error, "generation.catalogue cannot be used, so generation jobs fail: {Problem}")]
    private static partial void LogCatalogue(ILogger logger, string problem);

    [LoggerMessage(1102, LogLevel.Information, "Models: {Endpoints}")]
    private static partial void LogModelsThere(ILogger logger, string endpoints);
}

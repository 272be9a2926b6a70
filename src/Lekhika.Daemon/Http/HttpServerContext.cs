using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Dispatch;
using Lekhika.Daemon.Http.Adopt;
using Lekhika.Daemon.Http.Browse;
using Lekhika.Daemon.Http.Jobs;
using Lekhika.Daemon.Http.Signals;
using Lekhika.Daemon.Live;
using Lekhika.Daemon.Nodes;
using Lekhika.Daemon.Schedules;
using Lekhika.Inference.Lanes;

namespace Lekhika.Daemon.Http;

/// <summary>What the HTTP server needs from the rest of the daemon.</summary>
internal sealed record HttpServerContext
{
    public required ServerOptions Server { get; init; }

    public required AuthOptions Auth { get; init; }

    public required string WorkerId { get; init; }

    public required string Version { get; init; }

    public required IIntake Intake { get; init; }

    public required LiveExecutions Live { get; init; }

    public required DaemonState State { get; init; }

    public required IExecutionStore Store { get; init; }

    public required ISignalStore Signals { get; init; }

    /// <summary>Lists, histories, workflows and workers.</summary>
    public required IBrowseStore Browse { get; init; }

    /// <summary>Generation jobs; null leaves their routes out.</summary>
    public IJobStore? Jobs { get; init; }

    /// <summary>What generation is configured to do at this moment; with <see cref="Jobs"/>.</summary>
    public Func<GenerationOptions>? Generation { get; init; }

    public required IWorkflowCompiler Compiler { get; init; }

    /// <summary>Due times and ages are told by the database's clock.</summary>
    public required DatabaseClock Clock { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILoggerFactory Loggers { get; init; }

    /// <summary>Timestamp of <see cref="Time"/> when the daemon started.</summary>
    public required long StartedAt { get; init; }

    /// <summary>The lanes of the model pool at this moment.</summary>
    public required Func<PoolSnapshot> Lanes { get; init; }

    /// <summary>Results that are kept in the state directory until the database takes them.</summary>
    public Func<int> Spooled { get; init; } = static () => 0;

    /// <summary>Number of executions that advance at the same time.</summary>
    public required int Concurrency { get; init; }

    /// <summary>What <c>/schedules</c> serves; null for a server without it.</summary>
    public ScheduleBook? Schedules { get; init; }

    /// <summary>The keys of the Lekhika platform's accounts; null leaves them unchecked.</summary>
    public IEngineKeys? EngineKeys { get; init; }

    /// <summary>Whether such a key lets its user stop and resume without the internal secret.</summary>
    public bool AllowsKeyControl { get; init; }

    /// <summary>The URL this daemon gave to the others; null if it cannot be reached by them.</summary>
    public string? AdvertisedUrl { get; init; }

    /// <summary>The first Ollama server, without credentials.</summary>
    public Func<string?> OllamaUrl { get; init; } = static () => null;

    /// <summary>The model for nodes that name none; readiness wants it to be there.</summary>
    public Func<string?> DefaultModel { get; init; } = static () => null;

    /// <summary>Largest inputs of an execution, in bytes of JSON.</summary>
    public Func<long> MostInputBytes { get; init; } = static () => long.MaxValue;

    /// <summary>Listening sockets that systemd opened.</summary>
    public InheritedSockets Inherited { get; init; } = InheritedSockets.None;

    /// <summary>Most event streams open at the same time.</summary>
    public int MaxStreams { get; init; } = 2000;

    /// <summary>How often an event stream shows that it lives; below the 60 s after which proxies give up.</summary>
    public TimeSpan Heartbeat { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How often the row of an execution that is not held here is looked at for those who follow it.</summary>
    public TimeSpan RowInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait for the database when a request reads.</summary>
    public TimeSpan ReadPatience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest wait for another daemon to connect and answer.</summary>
    public TimeSpan PeerPatience { get; init; } = TimeSpan.FromSeconds(2);
}

using Lekhika.Daemon.Cli;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Dispatch;
using Lekhika.Postgres.Queue;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Hosting;

/// <summary>What the configuration says about taking and running executions.</summary>
internal static class DispatchSettings
{
    /// <summary>What a worker is told.</summary>
    public static Dispatch.WorkerSettings Worker(DaemonOptions options) => new()
    {
        Identity = new WorkerIdentity
        {
            WorkerId = options.Worker.Id,
            Host = Environment.MachineName,
            Url = Url(options),
            Version = VersionText.Version,
            Slots = options.Worker.Concurrency,
        },
        MaxClaimed = options.Worker.MaxClaimed,
        PollInterval = options.Worker.PollInterval,
        PriorityAgeing = options.Worker.PriorityAgeing,
        Limits = options.Limits.Starts,
        Lease = options.Worker.Lease,
        Heartbeat = options.Worker.Heartbeat,
        DrainTimeout = options.Worker.DrainTimeout,
        Listen = options.Database.Listen != ListenMode.Off,
        ListenThroughPooler = options.Database.Listen == ListenMode.On,
        CompletionHook = options.Database.CompletionHook,
        Owners = Owners(options),
    };

    /// <summary>Limits and defaults of executions.</summary>
    public static OwnerOptions Owners(DaemonOptions options) => new()
    {
        MaxRescues = options.Worker.MaxRescues,
        Retry = new RetryPolicy { MaxAttempts = options.Worker.MaxRetries + 1, InitialDelay = options.Worker.RetryDelay },
        NodeTimeout = options.Limits.NodeTimeout,
        ExecutionTimeout = options.Limits.ExecutionTimeout,
        OutputSize = options.Limits.OutputSize,
        InputsSize = options.Limits.InputsSize,
        Machine = new RunMachineOptions { MaxConcurrency = options.Limits.FanOut, MaxIterations = options.Limits.LoopIterations },
    };

    /// <summary>The URL under which other daemons reach this one; null if it listens on a Unix socket only.</summary>
    public static string? Url(DaemonOptions options) =>
        (options.Server.AdvertisedUrl?.ToString() ?? options.Server.Urls.FirstOrDefault()?.ToString())?.TrimEnd('/');
}

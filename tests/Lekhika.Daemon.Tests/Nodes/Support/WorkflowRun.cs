using System.Text.Json;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Dispatch;
using Lekhika.Daemon.Hosting;
using Lekhika.Daemon.Live;
using Lekhika.Daemon.Nodes;
using Lekhika.Daemon.Tests.Configuration;
using Lekhika.Inference;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Queue;
using Lekhika.Postgres.Signals;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Execution;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Lekhika.Daemon.Tests.Nodes.Support;

/// <summary>Runs workflows in memory, with the owner, the state machine, the compiler and the nodes of the daemon, and a clock of the test's.</summary>
internal sealed class WorkflowRun : IAsyncDisposable
{
    private readonly DaemonOptions _options;
    private readonly ModelPool _models;
    private readonly DaemonState _state = new() { Slots = 1 };
    private int _epoch;
    private long _sent;

    public WorkflowRun(Uri? ollama = null, string configuration = "", ILogger? logger = null)
    {
        _options = Read.Options($"{Read.Minimal}[ollama]\nurl = {ollama ?? new Uri("http://127.0.0.1:9")}\n[models]\ndefault = qwen2.5:7b\n{configuration}");
        _models = new ModelPool(Lekhika.Daemon.Hosting.ModelSettings.PoolOptions(_options), TimeProvider.System, new Random(1));
        Compiler = WorkflowSettings.Compiler(_options, _models, new Lekhika.Daemon.Hosting.ModelSettings(_state, _options.Models), logger ?? NullLogger.Instance, TimeProvider.System, Children);
    }

    /// <summary>The workflows that sub-workflow nodes find.</summary>
    public FakeChildren Children { get; } = new();

    /// <summary>Sends a signal; it is delivered at the next claim.</summary>
    public void Send(string name, string? stepKey = null, string? payload = null) =>
        Tell(EventTopic.Signal(name, stepKey), name, payload, child: null);

    /// <summary>Ends a child that a step has started.</summary>
    public void EndChild(string stepKey, ChildEnd end, int attempt = 1) => Tell(EventTopic.Child(stepKey, attempt), "child", payload: null, end);

    private void Tell(string topic, string name, string? payload, ChildEnd? child) => Journal.Events.Add(new WaitEvent
    {
        Id = ++_sent,
        Topic = topic,
        Name = name,
        Payload = payload is null ? null : JsonConstants.Parse(System.Text.Encoding.UTF8.GetBytes(payload)),
        At = Now,
        Child = child,
    });

    public WorkflowCompiler Compiler { get; }

    /// <summary>What the database's clock says.</summary>
    public DateTimeOffset Now { get; set; } = TimeProvider.System.GetUtcNow();

    public MemoryJournal Journal { get; private set; } = new();

    public LiveExecution Live { get; private set; } = null!;

    /// <summary>Attempts of nodes that name none; the tests do not wait for more.</summary>
    public RetryPolicy Retry { get; init; } = new() { MaxAttempts = 1 };

    /// <summary>Runs a workflow to the end of its claim.</summary>
    public Task<LiveSnapshot> RunAsync(string workflow, string inputs = "{}")
    {
        Journal = new MemoryJournal();
        _epoch = 0;
        return ClaimAsync(workflow, inputs);
    }

    /// <summary>Takes a run up from these records, as after a crash.</summary>
    public async Task<LiveSnapshot> ResumeAsync(IEnumerable<StepRecord> records, string workflow, string inputs = "{}")
    {
        Journal = new MemoryJournal();
        await Journal.WriteAsync(new JournalEntry { Fence = new Fence(1, 1, 1), Kind = JournalKind.Append, Steps = [.. records] }, TestContext.Current.CancellationToken);
        _epoch = 1;
        return await ClaimAsync(workflow, inputs);
    }

    /// <summary>Runs it on from what is recorded, as another claim does.</summary>
    public async Task<LiveSnapshot> ClaimAsync(string workflow, string inputs = "{}", CancellationToken abort = default)
    {
        _epoch++;
        using var document = JsonDocument.Parse(workflow);
        var definitions = new DefinitionCache(Compiler, static (_, _) => Task.FromResult<JsonElement?>(null));
        var hash = Guid.NewGuid();
        definitions.Add(hash, document.RootElement.Clone());
        var id = new Guid("0190f0de-0000-7000-8000-000000000001");
        var claim = new ClaimedExecution
        {
            Fence = new Fence(1, _epoch, 1),
            List = default,
            Place = 0,
            Rescues = 0,
            Id = id,
            Status = "pending",
            DefinitionHash = hash,
            Inputs = inputs,
            CreatedAt = Now,
            UserId = "user-1",
        };
        Live = new LiveExecution(new LiveHeader { Id = id, Exec = 1, Epoch = _epoch, Run = 1, WorkerId = "test", CreatedAt = Now }, "pending", startedAt: null);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(abort, TestContext.Current.CancellationToken);
        var owners = new OwnerOptions { Retry = Retry, NodeTimeout = TimeSpan.FromMinutes(1) };
        var services = new OwnerServices
        {
            Journal = Journal,
            Store = Journal,
            Definitions = definitions,
            Slots = new ExecutionSlots(1),
            Live = new LiveExecutions(),
            State = _state,
            Options = () => owners,
            Now = () => Now,
            Time = TimeProvider.System,
            Random = new Random(1),
            Logger = NullLogger.Instance,
            AbortWorking = either.Token,
        };
        await new ExecutionOwner(services, claim, Live, hasSlot: true).RunAsync();
        return Live.Snapshot();
    }

    /// <summary>Runs a workflow that must complete, and gives its result.</summary>
    public async Task<JsonElement> ResultAsync(string workflow, string inputs = "{}")
    {
        var end = await RunAsync(workflow, inputs);
        Assert.True(end.Status == "completed", $"{end.Status}: {end.Error} {end.ErrorDetails} {end.WaitingFor}");
        return end.Result!.Value;
    }

    /// <summary>Runs a workflow that must fail, and gives its error code and message.</summary>
    public async Task<(string Code, string Message)> FailureAsync(string workflow, string inputs = "{}")
    {
        var end = await RunAsync(workflow, inputs);
        Assert.True(end.Status == "failed", $"{end.Status}: {end.Result}");
        return (end.ErrorDetails!.Value.GetProperty("code").GetString()!, end.Error!);
    }

    /// <summary>A workflow of a trigger and one node.</summary>
    public static string OneNode(string type, string config, string more = "") =>
        $$"""{"nodes":[{"id":"start","type":"trigger"},{"id":"it","type":"{{type}}","config":{{config}}{{more}}}],"edges":[{"from":"start","to":"it"}]}""";

    public ValueTask DisposeAsync() => _models.DisposeAsync();
}

/// <summary>Knows every workflow, unless a test says otherwise.</summary>
internal sealed class FakeChildren : IChildSource
{
    public ChildTarget Target { get; set; } = new(0, true, "child");

    public Task<ChildTarget> FindAsync(Guid parent, Guid workflow, int limit, CancellationToken cancellationToken) => Task.FromResult(Target);
}

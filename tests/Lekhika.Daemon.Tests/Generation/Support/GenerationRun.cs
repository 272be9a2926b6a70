using System.Text.Json;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Dispatch;
using Lekhika.Daemon.Generation;
using Lekhika.Daemon.Hosting;
using Lekhika.Daemon.Live;
using Lekhika.Daemon.Nodes;
using Lekhika.Daemon.Tests.Configuration;
using Lekhika.Doubles;
using Lekhika.Inference;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Queue;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Execution;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Lekhika.Daemon.Tests.Generation.Support;

/// <summary>Generates in memory, with the daemon's own owner, state machine and validator, against a double that says what the test wants.</summary>
internal sealed class GenerationRun : IAsyncDisposable
{
    private readonly DaemonOptions _options;
    private readonly ModelPool _models;
    private readonly DaemonState _state = new() { Slots = 1 };
    private readonly CompiledWorkflow _workflow;

    private GenerationRun(OllamaDouble ollama, string configuration)
    {
        Ollama = ollama;
        _options = Read.Options($"{Read.Minimal}[ollama]\nurl = {ollama.BaseAddress}\n{configuration}");
        _models = new ModelPool(Lekhika.Daemon.Hosting.ModelSettings.PoolOptions(_options), TimeProvider.System, new Random(1));
        var names = new Lekhika.Daemon.Hosting.ModelSettings(_state, _options.Models);
        Compiler = WorkflowSettings.Compiler(_options, _models, names, NullLogger.Instance, TimeProvider.System);
        var runners = WorkflowSettings.Runners(_options, _models, names, NullLogger.Instance, TimeProvider.System, children: null);
        Services = GenerationSetup.Services(_options, Compiler, type => runners.Find(type) is not null, _models, names, Face, TimeProvider.System);
        _workflow = GenerationWorkflow.Compile(Services);
    }

    public OllamaDouble Ollama { get; }

    public WorkflowCompiler Compiler { get; }

    public GenerationServices Services { get; }

    public RecordedFace Face { get; } = new();

    public MemoryJournal Journal { get; private set; } = new();

    /// <summary>All records of the last run.</summary>
    public List<StepRecord> Records { get; private set; } = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<GenerationRun> BeginAsync(string configuration = "")
    {
        var options = new OllamaDoubleOptions { TokensPerSecond = 0, LoadTime = TimeSpan.Zero, SwapTime = TimeSpan.Zero, Parallel = 2 };
        return new GenerationRun(await OllamaDouble.StartAsync(options, Token), configuration);
    }

    /// <summary>The analysis is always the same; the drafts come one after the other.</summary>
    public GenerationRun Says(params string[] drafts)
    {
        Ollama.Script(new ScriptRule { Model = "mistral:7b", Reply = """{"summary":"A test","requirements":["one"],"triggerType":"trigger","requiredNodes":["llm"],"dataFlow":"","outputAction":""}""" });
        Ollama.Script(new ScriptRule { Model = "qwen2.5:7b", Replies = drafts });
        return this;
    }

    public Task<LiveSnapshot> RunAsync(string inputs, IEnumerable<StepRecord>? from = null) => RunAsync(GenerationWorkflow.Definition, inputs, from);

    /// <summary>Runs any definition as the daemon would.</summary>
    public async Task<LiveSnapshot> RunAsync(string definition, string inputs, IEnumerable<StepRecord>? from)
    {
        Journal = new MemoryJournal();
        var epoch = 1;
        if (from is not null)
        {
            epoch = 2;
            await Journal.WriteAsync(new JournalEntry { Fence = new Fence(1, 1, 1), Kind = JournalKind.Append, Steps = [.. from] }, Token);
        }

        var definitions = new DefinitionCache(Compiler, static (_, _) => Task.FromResult<JsonElement?>(null))
        {
            BuiltIn = document => GenerationWorkflow.IsMeant(document) ? _workflow : null,
        };
        var id = Guid.NewGuid();
        var claim = new ClaimedExecution
        {
            Fence = new Fence(1, epoch, 1),
            List = default,
            Place = 0,
            Rescues = 0,
            Id = id,
            Status = "pending",
            Definition = definition,
            Inputs = inputs,
            CreatedAt = TimeProvider.System.GetUtcNow(),
        };
        var live = new LiveExecution(
            new LiveHeader { Id = id, Exec = 1, Epoch = epoch, Run = 1, WorkerId = "test", CreatedAt = claim.CreatedAt }, "pending", startedAt: null);
        var owners = new OwnerOptions { Retry = RetryPolicy.None, NodeTimeout = TimeSpan.FromMinutes(1) };
        var services = new OwnerServices
        {
            Journal = Journal,
            Store = Journal,
            Definitions = definitions,
            Slots = new ExecutionSlots(1),
            Live = new LiveExecutions(),
            State = _state,
            Options = () => owners,
            Now = TimeProvider.System.GetUtcNow,
            Time = TimeProvider.System,
            Random = new Random(1),
            Logger = NullLogger.Instance,
            AbortWorking = Token,
        };
        await new ExecutionOwner(services, claim, live, hasSlot: true).RunAsync();
        Records = await Journal.StepsAsync(1, 1, Token);
        return live.Snapshot();
    }

    /// <summary>Generates what must succeed, and gives the workflow.</summary>
    public async Task<JsonElement> WorkflowAsync(string inputs = """{"prompt":"Do it"}""")
    {
        var end = await RunAsync(inputs);
        Assert.True(end.Status == "completed", $"{end.Status}: {end.Error} {end.ErrorDetails}");
        return end.Result!.Value.GetProperty("workflow");
    }

    public async ValueTask DisposeAsync()
    {
        await _models.DisposeAsync();
        await Ollama.DisposeAsync();
    }
}

/// <summary>Keeps what is told.</summary>
internal sealed class RecordedFace : IJobFace
{
    public List<(int Percent, string Phase, int Retries)> Told { get; } = [];

    public ValueTask TellAsync(NodeCall call, int percent, string phase, int retries, IReadOnlyList<JobLogEntry> logs, CancellationToken cancellationToken)
    {
        Told.Add((percent, phase, retries));
        return ValueTask.CompletedTask;
    }
}

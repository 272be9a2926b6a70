using System.Text.Json;
using Lekhika.Daemon.Live;
using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Tests.Http.Support;

/// <summary>A live execution of two nodes, moved on by the test.</summary>
internal sealed class TestRun
{
    private readonly RunMachine _machine;
    private readonly WorkflowPlan _plan;

    public TestRun(Guid id, int epoch = 1)
    {
        var empty = TestServer.Json("{}");
        var definition = new WorkflowDefinition
        {
            Nodes =
            [
                new NodeDefinition { Id = "ask", Type = "llm", Name = "Ask the model", Config = empty },
                new NodeDefinition { Id = "out", Type = "output", Config = empty },
            ],
            Edges = [new EdgeDefinition("ask", "out")],
        };
        _plan = WorkflowPlan.Compile(definition, static node => node.Type == "llm" ? EffectClass.Effect : EffectClass.Pure);
        _machine = new RunMachine(_plan, 1);
        Live = new LiveExecution(
            new LiveHeader
            {
                Id = id,
                Exec = 42,
                Epoch = epoch,
                Run = 1,
                WorkerId = "worker-1",
                CreatedAt = Now,
                InputsText = "{\n  \"topic\": \"rivers\"\n}",
                DefinitionText = """{"nodes":[{"id":"ask","type":"llm"},{"id":"out","type":"output"}],"edges":[{"from":"ask","to":"out"}]}""",
            },
            "pending",
            startedAt: null);
    }

    public LiveExecution Live { get; }

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    /// <summary>Begins the run and its model call.</summary>
    public TestRun Begin()
    {
        Live.SetPlan(_plan);
        Live.Begin(Now);
        var step = _machine.Advance(Now).OfType<StartStep>().Single().Step;
        Live.StepStarted(step, 1, Now);
        return this;
    }

    public TestRun Say(string text)
    {
        Live.StepText("ask", text, thinking: false);
        return this;
    }

    public TestRun Answer(string text)
    {
        var record = new StepRecord
        {
            Run = 1,
            Key = "ask",
            Attempt = 1,
            Outcome = StepOutcome.Succeeded,
            Output = TestServer.Json($$"""{"text":{{JsonSerializer.Serialize(text, TestJson.Default.String)}},"model":"qwen2.5:0.5b"}"""),
            Metrics = TestServer.Json("""{"tokens_in":7,"tokens_out":5,"words":4}"""),
            StartedAt = Now,
            FinishedAt = Now,
        };
        Live.StepRecorded(null, record, new LiveTotals(7, 5, 4));
        Live.SetProgress(90);
        return this;
    }

    public TestRun Complete()
    {
        Live.Finish("completed", TestServer.Json("""{"value":"done"}"""), null, null, Now);
        return this;
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
internal sealed partial class TestJson : System.Text.Json.Serialization.JsonSerializerContext;

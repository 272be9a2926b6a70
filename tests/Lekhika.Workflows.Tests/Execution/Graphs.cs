using System.Collections.Immutable;
using System.Text.Json;
using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Execution;

namespace Lekhika.Workflows.Tests.Execution;

/// <summary>Short ways to write graphs and records.</summary>
internal static class Graphs
{
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static JsonElement Json(string text) => JsonElement.Parse(text);

    public static NodeDefinition Node(string id, string type = "noop", string config = "{}") => new() { Id = id, Type = type, Config = Json(config) };

    public static NodeDefinition Scope(string id, string type, WorkflowDefinition body, string config = "{}") =>
        Node(id, type, config) with { Body = body };

    /// <summary>Edges as <c>a-b</c> or <c>a-b:label</c>.</summary>
    public static WorkflowDefinition Graph(IEnumerable<NodeDefinition> nodes, params string[] edges) => new()
    {
        Nodes = [.. nodes],
        Edges = [.. edges.Select(Edge)],
    };

    /// <summary>Nodes of type <c>noop</c> with the given ids, one letter each.</summary>
    public static WorkflowDefinition Graph(string ids, params string[] edges) => Graph(ids.Select(id => Node(id.ToString())), edges);

    public static WorkflowPlan Plan(WorkflowDefinition definition) => WorkflowPlan.Compile(definition, EffectOf);

    public static RunMachine Machine(WorkflowDefinition definition, RunMachineOptions? limits = null) => new(Plan(definition), 1, limits);

    public static EffectClass EffectOf(NodeDefinition node) => node.Type switch
    {
        "map" or "loop" => EffectClass.Scope,
        "llm" or "http" => EffectClass.Effect,
        "delay" or "approval" => EffectClass.Wait,
        _ => EffectClass.Pure,
    };

    public static StepRecord Record(string key, StepOutcome outcome = StepOutcome.Succeeded, int attempt = 1) =>
        new() { Run = 1, Key = key, Attempt = attempt, Outcome = outcome };

    public static StepRecord Done(string key, string? branch = null, string output = "{}", int attempt = 1) =>
        Record(key, attempt: attempt) with { Branch = branch, Output = Json(output), FinishedAt = Start };

    public static StepRecord Failed(string key, int attempt = 1, string code = ErrorCodes.HttpFailed, int atSecond = 0) =>
        Record(key, StepOutcome.Failed, attempt) with { Error = new StepError(code, $"{key} broke."), FinishedAt = Start.AddSeconds(atSecond) };

    public static StepRecord Opened(string key, string decision) => Record(key, StepOutcome.Opened) with { Decision = Json(decision) };

    public static StepRecord Waiting(string key, int? dueInSeconds, int attempt = 1) =>
        Record(key, StepOutcome.Waiting, attempt) with { DueAt = dueInSeconds is { } due ? Start.AddSeconds(due) : null, Decision = Json("""{"signal":"go"}""") };

    public static StepRecord Retrying(string key, int dueInSeconds, int attempt = 1) =>
        Record(key, StepOutcome.Retrying, attempt) with { DueAt = Start.AddSeconds(dueInSeconds), Error = new StepError(ErrorCodes.HttpFailed, "again", true) };

    /// <summary>What an action is, as text: <c>start a#1</c>, <c>resume a#1</c>, <c>decide l[0]</c>, <c>close m</c>, <c>fail m</c>, <c>abort a</c>, <c>abandon a</c>, <c>completed</c>, <c>failed a</c>.</summary>
    public static string Text(this RunAction action) => action switch
    {
        StartStep start => $"start {start.Step.Key}#{start.Attempt}",
        ResumeStep resume => $"resume {resume.Step.Key}#{resume.Wait.Attempt}",
        DecideIteration decide => $"decide {decide.Step.Key}[{decide.Iteration}]",
        CloseScope close => $"close {close.Step.Key}",
        FailScope fail => $"fail {fail.Step.Key}",
        AbortStep abort => $"abort {abort.Step.Key}",
        AbandonWait abandon => $"abandon {abandon.Step.Key}",
        FinishRun { Result.Succeeded: true } => "completed",
        FinishRun finish => $"failed {finish.Result.FailedStep}",
        _ => throw new NotSupportedException(action.ToString()),
    };

    /// <summary>Applies records, then says what is next, sorted, separated by commas.</summary>
    public static string Next(this RunMachine machine, params StepRecord[] records) => machine.NextAt(0, records);

    public static string NextAt(this RunMachine machine, int second, params StepRecord[] records)
    {
        foreach (var record in records) machine.Apply(record);
        return string.Join(", ", machine.Advance(Start.AddSeconds(second)).Select(Text).Order(StringComparer.Ordinal));
    }

    private static EdgeDefinition Edge(string text)
    {
        var label = text.IndexOf(':', StringComparison.Ordinal);
        var ends = (label < 0 ? text : text[..label]).Split('-');
        return new EdgeDefinition(ends[0], ends[1], label < 0 ? null : text[(label + 1)..]);
    }
}

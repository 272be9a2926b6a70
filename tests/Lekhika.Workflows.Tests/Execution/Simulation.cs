using System.Globalization;
using System.Text;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Execution;
using static Lekhika.Workflows.Tests.Execution.Graphs;

namespace Lekhika.Workflows.Tests.Execution;

/// <summary>
/// Plays the owner of a run: answers what the machine hands out, in an order drawn at random, with outcomes that depend only on the
/// step's key and attempt. Keeps the records in the order in which they were made.
/// </summary>
internal sealed class Simulation
{
    private readonly Dictionary<string, RunAction> _open = new(StringComparer.Ordinal);
    private readonly List<StepRef> _aborted = [];
    private readonly HashSet<StepRecord> _late = new(ReferenceEqualityComparer.Instance);
    private readonly Random _random;

    public Simulation(WorkflowPlan plan, int schedule, IEnumerable<StepRecord>? replay = null, DateTimeOffset? now = null)
    {
        Machine = new RunMachine(plan, 1);
        _random = new Random(schedule);
        Now = now ?? Start;
        foreach (var record in replay ?? []) Machine.Apply(record);
        Take();
    }

    public RunMachine Machine { get; }

    public DateTimeOffset Now { get; private set; }

    /// <summary>Each record made, with the time and what was open once it was taken in.</summary>
    public List<(StepRecord Record, DateTimeOffset At)> Log { get; } = [];

    public RunResult? Result { get; private set; }

    public Action<StepRef>? OnStart { get; init; }

    /// <summary>What the machine is waiting to hear, as text.</summary>
    public string Open => string.Join('\n', _open.Keys.Order(StringComparer.Ordinal));

    /// <summary>Makes one event happen; false once the run is over.</summary>
    public bool Step()
    {
        if (Result is not null) return false;
        Now = Now.AddMilliseconds(1);
        var signals = Machine.Waits.Where(wait => wait.DueAt is null || _random.Next(3) == 0).ToList();
        var choices = _open.Count + signals.Count + (_aborted.Count > 0 ? 1 : 0);
        if (choices == 0)
        {
            var due = Machine.NextDue ?? throw new InvalidOperationException($"Stuck in state {Machine.Status}:\n{State(Machine)}");
            if (due > Now) Now = due;
            Take();
            return true;
        }

        var choice = _random.Next(choices);
        if (choice < _open.Count)
        {
            var (text, action) = _open.OrderBy(pair => pair.Key, StringComparer.Ordinal).ElementAt(choice);
            _open.Remove(text);
            if (_random.Next(4) == 0 && action is StartStep running) Machine.ReportFraction(running.Step.Key, _random.NextDouble());
            Make(Answer(action));
        }
        else if (choice < _open.Count + signals.Count)
        {
            var wait = signals[choice - _open.Count];
            Make(Outcome(wait.Step, wait.Attempt, resumed: true));
        }
        else
        {
            // A step that was told to stop may finish all the same, and be recorded.
            var late = _aborted[0];
            _aborted.RemoveAt(0);
            if (_random.Next(2) == 0 && late.Node.Body is null) MakeLate(Outcome(late, (Machine.Step(late.Key)?.Attempt ?? 0) + 1, resumed: true));
        }

        return true;
    }

    public void RunToEnd()
    {
        for (var steps = 0; Step(); steps++)
        {
            if (steps > 200_000) throw new InvalidOperationException("The run does not come to an end.");
        }

        // What was in flight when the run failed may still be recorded.
        Now = Now.AddMilliseconds(1);
        foreach (var start in _open.Values.OfType<StartStep>().Where(start => start.Step.Node.Body is null && _random.Next(3) == 0))
        {
            MakeLate(Outcome(start.Step, start.Attempt, resumed: true));
        }
    }

    /// <summary>Lets the same records come again that another simulation made.</summary>
    public void Follow(Simulation other, int from)
    {
        foreach (var (record, at) in other.Log.Skip(from))
        {
            Now = at;
            Take();
            var answered = _open.Where(pair => KeyOf(pair.Value) == record.Key).Select(pair => pair.Key).ToList();
            var expected = answered.Count > 0 || other._late.Contains(record) || Machine.Waits.Any(wait => wait.Step.Key == record.Key);
            if (!expected) throw new InvalidOperationException($"'{record.Key}' was not asked for again; open are:\n{Open}\n{State(Machine)}");
            foreach (var text in answered) _open.Remove(text);
            Machine.Apply(record);
            Take();
        }
    }

    /// <summary>All that is known about a run, as text, to compare two machines.</summary>
    public static string State(RunMachine machine)
    {
        var text = new StringBuilder().Append(machine.Status).Append(CultureInfo.InvariantCulture, $" due {machine.NextDue:O}\n");
        foreach (var step in machine.Steps)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"{step.Key} {step.Status} #{step.Attempt} branch={step.Branch} by={step.FiredBy} due={step.DueAt:O} {step.Error?.Message} {step.Output?.GetRawText()}\n");
        }

        return text.AppendJoin(',', machine.Waits.Select(wait => wait.Step.Key).Order(StringComparer.Ordinal)).ToString();
    }

    private static string KeyOf(RunAction action) => action switch
    {
        StartStep start => start.Step.Key,
        ResumeStep resume => resume.Step.Key,
        DecideIteration decide => StepKey.Iteration(decide.Step.Key, decide.Iteration),
        CloseScope close => close.Step.Key,
        FailScope fail => fail.Step.Key,
        _ => "",
    };

    private void MakeLate(StepRecord record)
    {
        _late.Add(record);
        Make(record);
        Now = Now.AddMilliseconds(1);
    }

    private void Make(StepRecord record)
    {
        Machine.Apply(record);
        Log.Add((record, Now));
        Take();
    }

    private void Take()
    {
        foreach (var action in Machine.Advance(Now))
        {
            switch (action)
            {
                case FinishRun finish:
                    if (Result is not null) throw new InvalidOperationException("The run was finished twice.");
                    Result = finish.Result;
                    break;
                case AbortStep abort:
                    foreach (var text in _open.Where(pair => KeyOf(pair.Value) == abort.Step.Key).Select(pair => pair.Key).ToList()) _open.Remove(text);
                    _aborted.Add(abort.Step);
                    break;
                case AbandonWait:
                    break;
                default:
                    if (Result is not null) throw new InvalidOperationException($"'{action.Text()}' was handed out after the end.");
                    if (!_open.TryAdd(action.Text(), action)) throw new InvalidOperationException($"'{action.Text()}' was handed out twice.");
                    if (action is StartStep start) OnStart?.Invoke(start.Step);
                    break;
            }
        }

        // Iterations that failed take what they had open with them.
        foreach (var text in _open.Where(pair => Gone(pair.Value)).Select(pair => pair.Key).ToList()) _open.Remove(text);
    }

    private bool Gone(RunAction action)
    {
        var key = action is DecideIteration decide ? decide.Step.Key : KeyOf(action);
        return Result is null && Machine.Step(key) is null or { Status: StepStatus.Abandoned };
    }

    private StepRecord Answer(RunAction action) => action switch
    {
        StartStep start => Outcome(start.Step, start.Attempt, resumed: false),
        ResumeStep resume => Outcome(resume.Step, resume.Wait.Attempt, resumed: true),
        DecideIteration decide => Opened(KeyOf(decide), Draw(KeyOf(decide), 4) > 0 ? "true" : "false"),
        CloseScope close => Of(close.Step, close.Attempt, StepOutcome.Succeeded) with { Output = close.Output },
        FailScope fail => Machine.Fail(fail.Step, fail.Attempt, fail.Error, Now, 0, RetryPolicy.None),
        _ => throw new NotSupportedException(action.Text()),
    };

    private StepRecord Outcome(StepRef step, int attempt, bool resumed)
    {
        var tried = string.Create(CultureInfo.InvariantCulture, $"{step.Key}#{attempt}");
        var luck = Draw(tried, 100);
        if (luck < 8) return Machine.Fail(step, attempt, new StepError(ErrorCodes.HttpStatus, $"{tried} refused"), Now, 0, RetryPolicy.None);
        if (luck < 24) return Machine.Fail(step, attempt, new StepError(ErrorCodes.HttpFailed, $"{tried} failed", true), Now, 0, new RetryPolicy());
        switch (step.Node.Definition.Type)
        {
            case "delay" when !resumed || luck < 30:
                var due = luck % 3 == 0 ? null : (DateTimeOffset?)Now.AddMilliseconds(luck);
                // Asked again when it was due: one more wait, as a new attempt.
                return Of(step, resumed ? attempt + 1 : attempt, StepOutcome.Waiting) with { DueAt = due, Decision = Json("""{"signal":"go"}""") };
            case "map":
                return Of(step, attempt, StepOutcome.Opened) with { Decision = Json($$"""{"items":[{{string.Join(',', Enumerable.Range(0, luck % 5))}}]}""") };
            case "loop":
                return Of(step, attempt, StepOutcome.Opened) with { Decision = Json(luck % 2 == 0 ? """{"while":true}""" : $$"""{"times":{{luck % 5}}}""") };
            default:
                return Of(step, attempt, StepOutcome.Succeeded) with
                {
                    Branch = step.Node.Definition.Type == "condition" ? luck % 2 == 0 ? "true" : "false" : null,
                    Output = Json($$"""{"from":{{System.Text.Json.Nodes.JsonValue.Create(tried).ToJsonString()}}}"""),
                };
        }
    }

    private StepRecord Of(StepRef step, int attempt, StepOutcome outcome) =>
        Record(step.Key, outcome, attempt) with { FiredBy = step.FiredBy, FinishedAt = Now };

    /// <summary>A number that depends on the text alone, in any process.</summary>
    private static int Draw(string text, int below)
    {
        var hash = 2166136261u;
        foreach (var character in text) hash = (hash ^ character) * 16777619u;
        hash ^= hash >> 15;
        return (int)(hash * 2246822519u % (uint)below);
    }
}

using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Lekhika.Daemon.Nodes.Secrets;
using Lekhika.Workflows.Execution;
using Lekhika.Workflows.Expressions;

namespace Lekhika.Daemon.Nodes;

/// <summary>
/// The names that the expressions of one step can see: inputs, nodes, previous, item, index, vars, execution, secrets (their stand-ins). Values are looked up when they are asked
/// for, so a step pays for what it names and not for the size of the run.
/// </summary>
internal sealed class StepBindings(CompiledWorkflow workflow, RunMachine machine, StepRef step, RunFacts facts) : ICelBindings
{
    public bool TryResolve(string name, out CelValue value)
    {
        switch (name)
        {
            case "inputs":
                value = CelValue.FromJson(Inputs);
                return true;
            case "nodes":
                value = CelValue.FromMap(new VisibleOutputs(machine, step));
                return true;
            case "previous":
                value = CelValue.FromJson(machine.PreviousOf(step) ?? Inputs);
                return true;
            case "vars":
                value = CelValue.FromMap(Vars());
                return true;
            case "secrets" when workflow.ProgramOf(step.Node).Secrets is { Count: > 0 } named:
                value = SecretBindings.Of(named);
                return true;
            case "execution":
                value = CelValue.FromMap(Execution());
                return true;
            default:
                return TryResolveScope(name, out value);
        }
    }

    private JsonElement Inputs =>
        workflow.TriggerKey is { } trigger && machine.OutputOf(trigger) is { ValueKind: JsonValueKind.Object } output ? output : facts.Inputs;

    /// <summary>item, index, and the name that a map gives its item; the innermost iteration wins.</summary>
    private bool TryResolveScope(string name, out CelValue value)
    {
        for (var scope = step.Scope; scope is not null; scope = scope.LoopStep.Scope)
        {
            if (name == "index")
            {
                value = CelValue.From(scope.Index);
                return true;
            }

            if (scope.Item is { } item && (name == "item" || name == ItemName(scope)))
            {
                value = CelValue.FromJson(item);
                return true;
            }
        }

        value = default;
        return false;
    }

    private static string? ItemName(ScopeRef scope) =>
        scope.LoopStep.Node.Definition.Config.TryGetProperty("item", out var item) && item.ValueKind == JsonValueKind.String ? item.GetString() : null;

    private Dictionary<string, CelValue> Vars()
    {
        var vars = new Dictionary<string, CelValue>(StringComparer.Ordinal);
        foreach (var setter in workflow.Setters)
        {
            if (machine.VisibleOutput(step, setter.Id) is not { ValueKind: JsonValueKind.Object } output) continue;
            foreach (var property in output.EnumerateObject()) vars[property.Name] = CelValue.FromJson(property.Value);
        }

        return vars;
    }

    private Dictionary<string, CelValue> Execution() => new(StringComparer.Ordinal)
    {
        ["id"] = CelValue.From(facts.Id.ToString()),
        ["run"] = CelValue.From(facts.Run),
        ["workflow_id"] = CelValue.From(facts.WorkflowId?.ToString()),
        ["workflow_name"] = CelValue.From(facts.WorkflowName),
        ["user_id"] = CelValue.From(facts.UserId),
        ["created_at"] = CelValue.From(facts.CreatedAt),
        ["started_at"] = CelValue.From(facts.StartedAt),
        ["schedule_id"] = CelValue.From(facts.Slot?.ScheduleId),
        ["slot"] = facts.Slot is { } slot ? CelValue.From(slot.At) : CelValue.From(default(string)),
        ["step"] = CelValue.From(step.Key),
    };

    /// <summary>The outputs a step can see, looked up one by one.</summary>
    [SuppressMessage("Naming", "CA1710", Justification = "It is what expressions call nodes.")]
    private sealed class VisibleOutputs(RunMachine machine, StepRef step) : IReadOnlyDictionary<string, JsonElement>
    {
        private IReadOnlyDictionary<string, JsonElement>? _all;

        public int Count => All.Count;

        public IEnumerable<string> Keys => All.Keys;

        public IEnumerable<JsonElement> Values => All.Values;

        public JsonElement this[string key] => TryGetValue(key, out var value) ? value : throw new KeyNotFoundException(key);

        public bool ContainsKey(string key) => TryGetValue(key, out _);

        public bool TryGetValue(string key, out JsonElement value)
        {
            var output = machine.VisibleOutput(step, key);
            value = output ?? default;
            return output is not null;
        }

        public IEnumerator<KeyValuePair<string, JsonElement>> GetEnumerator() => All.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        private IReadOnlyDictionary<string, JsonElement> All => _all ??= machine.VisibleOutputs(step);
    }
}

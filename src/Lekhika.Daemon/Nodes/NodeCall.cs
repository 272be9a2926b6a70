using System.Text.Json;
using Lekhika.Daemon.Live;
using Lekhika.Workflows.Execution;
using Lekhika.Workflows.Expressions;

namespace Lekhika.Daemon.Nodes;

/// <summary>One attempt of one node, as its runner sees it.</summary>
internal sealed class NodeCall
{
    /// <summary>The step.</summary>
    public required StepRef Step { get; init; }

    /// <summary>Number of the attempt, from 1.</summary>
    public required int Attempt { get; init; }

    /// <summary>The configuration with its templates rendered; fields that the catalogue marks as raw are as they were written.</summary>
    public required JsonElement Config { get; init; }

    /// <summary>The program of the node: its compiled expressions.</summary>
    public required NodeProgram Program { get; init; }

    /// <summary>The execution it belongs to.</summary>
    public required RunFacts Run { get; init; }

    /// <summary>The time by the database's clock, in which due times are told.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>What expressions may name. To be used only before the first await: it reads the state of the run, which goes on meanwhile.</summary>
    public required ICelBindings Bindings { get; init; }

    /// <summary>The run, under the same condition.</summary>
    public required RunMachine Machine { get; init; }

    /// <summary>Its time limit, and when it may begin something in the world; null where it begins nothing there.</summary>
    public NodeDeadline? Deadline { get; init; }

    /// <summary>Where progress is told.</summary>
    public required LiveExecution Live { get; init; }

    /// <summary>Key that makes a repeated side effect recognisable (law 6).</summary>
    public string IdempotencyKey => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Run.Id}:{Step.Key}:{Run.Run}");
}

/// <summary>What of an execution does not change during a run.</summary>
internal sealed record RunFacts
{
    public required Guid Id { get; init; }

    public required int Run { get; init; }

    public required JsonElement Inputs { get; init; }

    public Guid? WorkflowId { get; init; }

    /// <summary>The same if its stored definition is what runs; null if the execution brought one of its own.</summary>
    public Guid? StoredWorkflowId { get; init; }

    public string WorkflowName { get; init; } = "";

    public string? UserId { get; init; }

    public int Priority { get; init; }

    /// <summary>The slot it was started for; null if no schedule started it.</summary>
    public ScheduledSlot? Slot { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>What people want done otherwise in this run; null for nothing.</summary>
    public string? Instruction { get; init; }

    /// <summary>Keys of the steps that <see cref="Instruction"/> is for, each with everything inside it.</summary>
    public IReadOnlyList<string> InstructionAt { get; init; } = [];

    /// <summary>What people want done otherwise in a step; null for nothing.</summary>
    public string? InstructionFor(string stepKey)
    {
        if (Instruction is null) return null;
        foreach (var key in InstructionAt)
        {
            var isInside = stepKey.Length > key.Length && stepKey[key.Length] == '[' && stepKey.StartsWith(key, StringComparison.Ordinal);
            if (isInside || stepKey == key) return Instruction;
        }

        return null;
    }
}

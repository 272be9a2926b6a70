using System.Text.Json;

namespace Lekhika.Workflows.Execution;

/// <summary>A step as a runner meets it: which node, in which iteration, after which predecessors.</summary>
public sealed class StepRef
{
    internal StepRef(string key, PlannedNode node, ScopeRef? scope, string? firedBy, IReadOnlyList<string> predecessors)
    {
        Key = key;
        Node = node;
        Scope = scope;
        FiredBy = firedBy;
        Predecessors = predecessors;
    }

    /// <summary>The step key, see <see cref="StepKey"/>.</summary>
    public string Key { get; }

    /// <summary>The node it runs.</summary>
    public PlannedNode Node { get; }

    /// <summary>The iteration it is in; null at the top.</summary>
    public ScopeRef? Scope { get; }

    /// <summary>Key of the step whose edge fired an <c>any</c> join, to be kept in each of its records; null elsewhere.</summary>
    public string? FiredBy { get; }

    /// <summary>Keys of the taken predecessors in edge order; of an <c>any</c> join only the one that fired it.</summary>
    public IReadOnlyList<string> Predecessors { get; }

    /// <inheritdoc/>
    public override string ToString() => Key;
}

/// <summary>One iteration of a map or loop, as the steps inside it see it.</summary>
public sealed class ScopeRef
{
    internal ScopeRef(StepRef loopStep, int index, JsonElement? item, string key)
    {
        LoopStep = loopStep;
        Index = index;
        Item = item;
        Key = key;
    }

    /// <summary>The map or loop step; its own <see cref="StepRef.Scope"/> is the iteration around it.</summary>
    public StepRef LoopStep { get; }

    /// <summary>Number of the iteration, from 0.</summary>
    public int Index { get; }

    /// <summary>The item of a map; null in loops.</summary>
    public JsonElement? Item { get; }

    /// <summary>Key of the iteration: <c>chapters[3]</c>.</summary>
    public string Key { get; }
}

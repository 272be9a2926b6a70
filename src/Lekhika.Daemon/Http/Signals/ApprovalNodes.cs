using System.Text;
using Lekhika.Daemon.Nodes;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Http.Signals;

/// <summary>
/// The approvals that a definition has, for answers that come before their question: by the forms of their step keys, in which iterations have no number
/// (<c>chapters[].check</c>).
/// </summary>
internal sealed class ApprovalNodes
{
    private const string Approval = "approval";
    private readonly List<(string Form, string NodeId, bool IsAtTop)> _all = [];

    private ApprovalNodes(WorkflowPlan plan) => Add(plan, within: null);

    /// <summary>Forms of the step keys of all approvals.</summary>
    public IEnumerable<string> Forms => _all.Select(static node => node.Form);

    public static ApprovalNodes Of(CompiledWorkflow workflow) => new(workflow.Plan);

    /// <summary>Whether there is an approval with such a step key.</summary>
    public bool Has(string stepKey) => FormOf(stepKey) is var form && _all.Exists(node => node.Form == form);

    /// <summary>The step key of the one approval with that node id, or of the only one there is; null if it is in a loop, or not the only one.</summary>
    public string? OnlyKey(string? nodeId)
    {
        var meant = _all.Where(node => nodeId is null || node.NodeId == nodeId).ToList();
        return meant is [{ IsAtTop: true } one] ? one.Form : null;
    }

    private void Add(WorkflowPlan plan, string? within)
    {
        foreach (var node in plan.Nodes)
        {
            var key = within is null ? StepKey.Of(node.Id) : StepKey.Of(within, node.Id);
            if (node.Definition.Type == Approval) _all.Add((key, node.Id, within is null));
            if (node.Body is { } body) Add(body, key + "[]");
        }
    }

    /// <summary>The key without the numbers of iterations.</summary>
    private static string FormOf(string key)
    {
        var form = new StringBuilder(key.Length);
        for (var at = 0; at < key.Length; at++)
        {
            form.Append(key[at]);
            if (key[at] == '\\' && at + 1 < key.Length) form.Append(key[++at]);
            else if (key[at] == '[' && key.IndexOf(']', at) is > 0 and var close)
            {
                form.Append(']');
                at = close;
            }
        }

        return form.ToString();
    }
}

namespace Lekhika.Doubles;

/// <summary>The scripted rules and how often each was used.</summary>
internal sealed class ScriptBook
{
    private readonly Lock _gate = new();
    private readonly List<(ScriptRule Rule, ScriptUse Use)> _rules = [];

    public ScriptUse Add(ScriptRule rule)
    {
        var use = new ScriptUse();
        lock (_gate)
            _rules.Add((rule, use));
        return use;
    }

    public void Clear()
    {
        lock (_gate)
            _rules.Clear();
    }

    /// <summary>Takes the first rule that matches, with <see cref="ScriptRule.Reply"/> set to the reply whose turn it is.</summary>
    public ScriptRule? Take(string model, string text)
    {
        lock (_gate)
        {
            foreach (var (rule, use) in _rules)
            {
                if (use.Times >= (rule.Times ?? int.MaxValue)
                    || (rule.Model is { } name && !Same(name, model))
                    || (rule.PromptContains is { } part && !text.Contains(part, StringComparison.Ordinal)))
                    continue;
                var turn = use.Count();
                return rule.Replies is { Count: > 0 } replies ? rule with { Reply = replies[Math.Min(turn, replies.Count - 1)] } : rule;
            }
            return null;
        }
    }

    private static bool Same(string one, string other) =>
        string.Equals(ModelName.WithTag(one), ModelName.WithTag(other), StringComparison.OrdinalIgnoreCase);
}

namespace Lekhika.Doubles;

/// <summary>The scripted rules and how often each was used.</summary>
internal sealed class ScriptBook
{
    private readonly Lock _gate = new();
    private readonly List<Entry> _rules = [];

    public void Add(ScriptRule rule)
    {
        lock (_gate)
            _rules.Add(new Entry(rule));
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
            foreach (var entry in _rules)
            {
                var rule = entry.Rule;
                if (entry.Used >= (rule.Times ?? int.MaxValue)
                    || (rule.Model is { } name && !Same(name, model))
                    || (rule.PromptContains is { } part && !text.Contains(part, StringComparison.Ordinal)))
                    continue;
                var turn = entry.Used++;
                return rule.Replies is { Count: > 0 } replies ? rule with { Reply = replies[Math.Min(turn, replies.Count - 1)] } : rule;
            }
            return null;
        }
    }

    private static bool Same(string one, string other) =>
        string.Equals(ModelName.WithTag(one), ModelName.WithTag(other), StringComparison.OrdinalIgnoreCase);

    private sealed class Entry(ScriptRule rule)
    {
        public ScriptRule Rule { get; } = rule;

        public int Used { get; set; }
    }
}

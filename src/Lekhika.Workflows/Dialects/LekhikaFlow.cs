namespace Lekhika.Workflows.Dialects;

/// <summary>
/// The order in which the earlier engine ran the nodes (rows of 50 pixels from top to bottom, in a row from left to right, what a node depends on
/// before it, output last), and what that order says about a node: whose text reaches it, which plan, which book.
/// </summary>
internal sealed class LekhikaFlow
{
    private const double RowHeight = 50;

    private readonly Dictionary<DraftNode, List<DraftNode>> _before = [];
    private readonly Dictionary<DraftNode, DraftNode?> _text = [];
    private readonly Dictionary<DraftNode, DraftNode?> _plan = [];
    private readonly Dictionary<DraftNode, DraftNode?> _book = [];

    private LekhikaReach? _reach;

    private LekhikaFlow(IReadOnlyList<DraftNode> sequence) => Sequence = sequence;

    /// <summary>The nodes in the order of the earlier engine.</summary>
    public IReadOnlyList<DraftNode> Sequence { get; private set; }

    /// <summary>The nearest node before that gives text, plans included.</summary>
    public DraftNode? TextFor(DraftNode node) => _text.GetValueOrDefault(node);

    /// <summary>The nearest plan before, however many nodes lie between.</summary>
    public DraftNode? PlanFor(DraftNode node) => _plan.GetValueOrDefault(node);

    /// <summary>The nearest node before that writes or edits the book.</summary>
    public DraftNode? BookFor(DraftNode node) => _book.GetValueOrDefault(node);

    /// <summary>The nearest text that is no plan: what a writer draws on beside the plan.</summary>
    public DraftNode? MaterialFor(DraftNode node)
    {
        var text = TextFor(node);
        for (var steps = 0; text is not null && LekhikaRoles.IsStructural(text) && steps < 100; steps++) text = TextFor(text);
        return text;
    }

    /// <summary>Whether one node comes before another by edges.</summary>
    public bool IsBefore(DraftNode earlier, DraftNode node) => (_reach ??= new LekhikaReach(Sequence, _before)).IsBefore(earlier, node);

    /// <summary>Adds the edges that the author left to the positions, and works out the flow.</summary>
    public static LekhikaFlow Complete(DraftGraph graph)
    {
        var byId = ShapeReader.ById(graph);
        var sorted = SortByPosition(graph.Nodes);
        var sequence = Sequenced(graph, sorted, byId);
        AddMissing(graph, sequence, byId);
        var flow = new LekhikaFlow(Sequenced(graph, sorted, byId));
        flow.Trace(graph, byId);
        return flow;
    }

    private static List<DraftNode> SortByPosition(List<DraftNode> nodes)
    {
        var byHeight = nodes.OrderBy(static node => node.Y).ToList();
        var sorted = new List<DraftNode>(nodes.Count);
        for (var start = 0; start < byHeight.Count;)
        {
            var end = start;
            while (end < byHeight.Count && byHeight[end].Y - byHeight[start].Y < RowHeight) end++;
            sorted.AddRange(byHeight[start..end].OrderBy(static node => node.X));
            start = end;
        }

        return sorted;
    }

    /// <summary>Dependencies first, else by position; a cycle is cut where it is met, since validation refuses it.</summary>
    private static List<DraftNode> Sequenced(DraftGraph graph, List<DraftNode> sorted, Dictionary<string, DraftNode> byId)
    {
        var rank = new Dictionary<DraftNode, int>(sorted.Count);
        foreach (var node in sorted) rank[node] = rank.Count;
        var needs = new Dictionary<DraftNode, List<DraftNode>>(sorted.Count);
        foreach (var edge in graph.Edges)
        {
            if (edge.From == edge.To || !byId.TryGetValue(edge.From, out var from) || !byId.TryGetValue(edge.To, out var to)) continue;
            if (!needs.TryGetValue(to, out var list)) needs[to] = list = [];
            list.Add(from);
        }

        foreach (var list in needs.Values) list.Sort((left, right) => rank[left].CompareTo(rank[right]));
        var sequence = new List<DraftNode>(sorted.Count);
        var met = new HashSet<DraftNode>(sorted.Count);
        var trail = new Stack<(DraftNode Node, int Next)>();
        foreach (var start in sorted.Where(static node => node.Type != "output").Concat(sorted.Where(static node => node.Type == "output")))
        {
            if (met.Add(start)) trail.Push((start, 0));
            while (trail.TryPop(out var step))
            {
                var list = needs.GetValueOrDefault(step.Node);
                if (list is null || step.Next >= list.Count)
                {
                    sequence.Add(step.Node);
                    continue;
                }

                trail.Push((step.Node, step.Next + 1));
                if (met.Add(list[step.Next])) trail.Push((list[step.Next], 0));
            }
        }

        return sequence;
    }

    private static void AddMissing(DraftGraph graph, List<DraftNode> sequence, Dictionary<string, DraftNode> byId)
    {
        var entered = graph.Edges.Where(edge => byId.ContainsKey(edge.From)).Select(static edge => edge.To).ToHashSet(StringComparer.Ordinal);
        var left = graph.Edges.Where(edge => byId.ContainsKey(edge.To)).Select(static edge => edge.From).ToHashSet(StringComparer.Ordinal);
        var chained = graph.Edges.Count == 0;
        for (var index = 1; index < sequence.Count; index++)
        {
            var node = sequence[index];
            if (entered.Contains(node.Id) || node.Type == "trigger" || node.Id.Length == 0) continue;
            if (node.Type == "output" && !chained)
            {
                foreach (var last in sequence.Take(index).Where(last => last.Type != "output" && !left.Contains(last.Id) && last.Id.Length > 0)) Add(last, node);
                continue;
            }

            Add(sequence[index - 1], node);
        }

        void Add(DraftNode from, DraftNode to)
        {
            if (from.Id.Length == 0 || from.Id == to.Id) return;
            left.Add(from.Id);
            var label = from.Type == "approval" ? "approve" : null;
            graph.Edges.Add(new DraftEdge(from.Id, to.Id, label, to.Path));
        }
    }

    private void Trace(DraftGraph graph, Dictionary<string, DraftNode> byId)
    {
        foreach (var edge in graph.Edges)
        {
            if (!byId.TryGetValue(edge.From, out var from) || !byId.TryGetValue(edge.To, out var to)) continue;
            if (!_before.TryGetValue(to, out var list)) _before[to] = list = [];
            list.Add(from);
        }

        var place = new Dictionary<DraftNode, int>();
        foreach (var node in Sequence) place[node] = place.Count;
        foreach (var node in Sequence)
        {
            _text[node] = Nearest(node, static before => before.Type is "llm" or "chapters" or "refine", _text, place);
            _plan[node] = Nearest(node, LekhikaRoles.IsStructural, _plan, place);
            _book[node] = Nearest(node, static before => before.Type is "chapters" or "refine", _book, place);
        }
    }

    private DraftNode? Nearest(DraftNode node, Func<DraftNode, bool> fits, Dictionary<DraftNode, DraftNode?> known, Dictionary<DraftNode, int> place)
    {
        DraftNode? nearest = null;
        foreach (var before in _before.GetValueOrDefault(node) ?? [])
        {
            var candidate = fits(before) ? before : known.GetValueOrDefault(before);
            if (candidate is not null && candidate != node && (nearest is null || place[candidate] > place[nearest])) nearest = candidate;
        }

        return nearest;
    }
}

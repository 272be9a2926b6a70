using System.Collections;

namespace Lekhika.Workflows.Dialects;

/// <summary>
/// What comes before what. Every prompt may name many nodes, so the answers are worked out once, a row of bits for each node, from the rows of the nodes
/// before it: in the order of the sequence those are there first. A graph too large for that is searched anew for each node that asks.
/// </summary>
internal sealed class LekhikaReach
{
    /// <summary>At this number of nodes the rows take 8 MB.</summary>
    private const int MostRows = 8192;

    private readonly Dictionary<DraftNode, int> _place = [];
    private readonly Dictionary<DraftNode, List<DraftNode>> _before;
    private readonly BitArray[]? _rows;
    private (DraftNode? Of, HashSet<DraftNode> Nodes) _searched = (null, []);

    public LekhikaReach(IReadOnlyList<DraftNode> sequence, Dictionary<DraftNode, List<DraftNode>> before)
    {
        _before = before;
        foreach (var node in sequence) _place[node] = _place.Count;
        if (sequence.Count > MostRows) return;
        _rows = new BitArray[sequence.Count];
        for (var place = 0; place < _rows.Length; place++)
        {
            var row = _rows[place] = new BitArray(_rows.Length);
            foreach (var earlier in before.GetValueOrDefault(sequence[place]) ?? [])
            {
                row[_place[earlier]] = true;

                // An edge against the sequence closes a cycle, which validation refuses.
                if (_rows[_place[earlier]] is { } known && known != row) row.Or(known);
            }
        }
    }

    public bool IsBefore(DraftNode earlier, DraftNode node)
    {
        if (_rows is not null) return _rows[_place[node]][_place[earlier]];
        if (_searched.Of != node) _searched = (node, Search(node));
        return _searched.Nodes.Contains(earlier);
    }

    private HashSet<DraftNode> Search(DraftNode node)
    {
        var found = new HashSet<DraftNode>();
        var waiting = new Stack<DraftNode>(_before.GetValueOrDefault(node) ?? []);
        while (waiting.TryPop(out var before))
        {
            if (!found.Add(before)) continue;
            foreach (var earlier in _before.GetValueOrDefault(before) ?? []) waiting.Push(earlier);
        }

        return found;
    }
}

namespace Lekhika.Inference.Lanes;

/// <summary>
/// The models an endpoint has in memory. Between two answers of the server it is what the server was asked for since; its answer (/api/ps) replaces
/// that, because models leave memory by themselves, and others load theirs.
/// </summary>
internal sealed class ResidentModels
{
    // The longest untouched first.
    private readonly List<Lane> _lanes = [];
    private HashSet<string> _foreign = new(StringComparer.Ordinal);

    /// <summary>Models in memory, as far as is known.</summary>
    public int Count => _lanes.Count + _foreign.Count;

    public bool Has(Lane lane) => _lanes.Contains(lane) || (_foreign.Contains(lane.Key.Model) && lane.Key.Runner.Length == 0);

    public bool HasModel(string model) => _foreign.Contains(model) || _lanes.Exists(lane => lane.Key.Model == model);

    /// <summary>A lane gets its place, so its model will be loaded.</summary>
    /// <returns>Whether another model has to go for it.</returns>
    public bool Enter(Lane lane, int places)
    {
        var swaps = false;
        // The same model under other options is loaded anew in its own place.
        var reloads = _lanes.FindIndex(other => other != lane && other.State == LaneState.Away && other.Key.Model == lane.Key.Model);
        if (reloads >= 0)
        {
            _lanes.RemoveAt(reloads);
            swaps = true;
        }
        else if (!_lanes.Remove(lane) && !_foreign.Remove(lane.Key.Model) && Count >= places)
        {
            if (_foreign.Count > 0)
                _foreign.Remove(_foreign.First());
            else
                _lanes.RemoveAt(Math.Max(0, _lanes.FindIndex(static other => other.State == LaneState.Away)));
            swaps = true;
        }

        _lanes.Add(lane);
        return swaps;
    }

    /// <summary>A request of the lane goes out, so its model is or will be in memory, even if it was said to have left.</summary>
    public void Use(Lane lane)
    {
        if (!_lanes.Contains(lane))
            _lanes.Add(lane);
    }

    /// <summary>The server has said what it has. A lane that is at work is about to have its model there, even if the answer is older.</summary>
    public void Told(IReadOnlySet<string> models, Func<Lane, bool> isAtWork)
    {
        _lanes.RemoveAll(lane => !isAtWork(lane) && !models.Contains(lane.Key.Model));
        _foreign = [.. models.Where(model => !_lanes.Exists(lane => lane.Key.Model == model))];
    }
}

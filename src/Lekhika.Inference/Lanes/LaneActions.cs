namespace Lekhika.Inference.Lanes;

/// <summary>What has to be done outside after lanes were looked at.</summary>
internal sealed class LaneActions(bool sharesTurns)
{
    /// <summary>Other daemons have a say in the turn.</summary>
    public bool SharesTurns => sharesTurns;

    /// <summary>Lanes whose shared turn is to be asked for.</summary>
    public List<Lane> Entering { get; } = [];

    /// <summary>Requests whose model is to be loaded before their turn.</summary>
    public List<Ticket> Preloading { get; } = [];

    /// <summary>Turns to give back.</summary>
    public List<ILaneLease> Leases { get; } = [];

    /// <summary>Requests started.</summary>
    public int Granted { get; set; }
}

using Lekhika.Chaos.World;

namespace Lekhika.Chaos.Faults;

/// <summary>One kind of fault.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Least">How often it must have struck, or the campaign fails.</param>
/// <param name="StrikeAsync">Injects it and takes it away again. False: it had no effect and does not count.</param>
internal sealed record Fault(string Name, int Least, Func<Scene, CancellationToken, Task<bool>> StrikeAsync)
{
    /// <summary>How often it struck.</summary>
    public int Hits { get; set; }

    /// <summary>How often it was tried.</summary>
    public int Tries { get; set; }

    /// <summary>Whether it is still to strike.</summary>
    public bool IsMissing => Hits < Least;
}

using System.Collections.Concurrent;

namespace Lekhika.Doubles;

/// <summary>Counts how often a fault has struck under its key, so that it can strike a number of times and then no more.</summary>
internal sealed class FaultBook
{
    private readonly ConcurrentDictionary<string, int> _struck = new(StringComparer.Ordinal);

    public bool Strikes(DoubleFault fault, string model)
    {
        if (fault.Kind == FaultKind.None)
            return false;
        if (fault.Times is not { } times)
            return true;
        var key = fault.Key ?? $"{model} {FaultNames.Kebab(fault.Kind)}";
        return _struck.AddOrUpdate(key, 1, (_, count) => count + 1) <= times;
    }

    public void Clear() => _struck.Clear();
}

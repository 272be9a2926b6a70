using Lekhika.Workflows.Expressions;

namespace Lekhika.Daemon.Nodes;

/// <summary>Names that a runner adds to those of its step, such as the item at hand; they hide names of the same kind around them.</summary>
internal sealed class OverlayBindings(ICelBindings outer) : ICelBindings
{
    private readonly CelBindings _names = [];

    public CelValue this[string name]
    {
        set => _names[name] = value;
    }

    public bool TryResolve(string name, out CelValue value) => _names.TryResolve(name, out value) || outer.TryResolve(name, out value);
}

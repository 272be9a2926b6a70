namespace Lekhika.Workflows.Expressions;

/// <summary>A node of the syntax tree: what was written, before macros are expanded and names resolved.</summary>
/// <param name="position">Offset in the text, for messages.</param>
/// <param name="depth">The height of the tree below and with this node.</param>
internal abstract class CelSyntax(int position, int depth)
{
    public int Position { get; } = position;

    public int Depth { get; } = depth;

    protected static int Over(CelSyntax a, CelSyntax? b = null, CelSyntax? c = null) =>
        1 + Math.Max(a.Depth, Math.Max(b?.Depth ?? 0, c?.Depth ?? 0));

    protected static int Over(IReadOnlyList<CelSyntax> children)
    {
        var depth = 0;
        for (var i = 0; i < children.Count; i++)
            depth = Math.Max(depth, children[i].Depth);
        return depth + 1;
    }
}

internal sealed class LiteralSyntax(int position, CelValue value) : CelSyntax(position, 1)
{
    public CelValue Value { get; } = value;
}

/// <param name="position">Offset.</param>
/// <param name="name">The name.</param>
/// <param name="rooted">Written with a leading dot: neither a variable of a comprehension nor in the container.</param>
internal sealed class NameSyntax(int position, string name, bool rooted) : CelSyntax(position, 1)
{
    public string Name { get; } = name;

    public bool Rooted { get; } = rooted;
}

internal sealed class SelectSyntax(int position, CelSyntax target, string member) : CelSyntax(position, Over(target))
{
    public CelSyntax Target { get; } = target;

    public string Member { get; } = member;
}

internal sealed class IndexSyntax(int position, CelSyntax target, CelSyntax index) : CelSyntax(position, Over(target, index))
{
    public CelSyntax Target { get; } = target;

    public CelSyntax Index { get; } = index;
}

/// <param name="position">Offset of the function's name.</param>
/// <param name="target">What it is called on; null for a plain call.</param>
/// <param name="name">The function.</param>
/// <param name="args">The arguments, without the target.</param>
internal sealed class CallSyntax(int position, CelSyntax? target, string name, IReadOnlyList<CelSyntax> args)
    : CelSyntax(position, Math.Max(Over(args), (target?.Depth ?? 0) + 1))
{
    public CelSyntax? Target { get; } = target;

    public string Name { get; } = name;

    public IReadOnlyList<CelSyntax> Args { get; } = args;
}

internal sealed class UnarySyntax(int position, char symbol, CelSyntax operand) : CelSyntax(position, Over(operand))
{
    public char Symbol { get; } = symbol;

    public CelSyntax Operand { get; } = operand;
}

internal sealed class BinarySyntax(int position, string symbol, CelSyntax left, CelSyntax right) : CelSyntax(position, Over(left, right))
{
    public string Symbol { get; } = symbol;

    public CelSyntax Left { get; } = left;

    public CelSyntax Right { get; } = right;
}

/// <summary><c>||</c> or <c>&amp;&amp;</c> over any number of operands, so that long chains stay flat.</summary>
internal sealed class LogicSyntax(int position, bool isOr, IReadOnlyList<CelSyntax> operands) : CelSyntax(position, Over(operands))
{
    public bool IsOr { get; } = isOr;

    public IReadOnlyList<CelSyntax> Operands { get; } = operands;
}

internal sealed class ConditionalSyntax(int position, CelSyntax condition, CelSyntax then, CelSyntax otherwise)
    : CelSyntax(position, Over(condition, then, otherwise))
{
    public CelSyntax Condition { get; } = condition;

    public CelSyntax Then { get; } = then;

    public CelSyntax Otherwise { get; } = otherwise;
}

internal sealed class ListSyntax(int position, IReadOnlyList<CelSyntax> items) : CelSyntax(position, Over(items))
{
    public IReadOnlyList<CelSyntax> Items { get; } = items;
}

internal sealed class MapSyntax(int position, IReadOnlyList<CelSyntax> keys, IReadOnlyList<CelSyntax> values)
    : CelSyntax(position, Math.Max(Over(keys), Over(values)))
{
    public IReadOnlyList<CelSyntax> Keys { get; } = keys;

    public IReadOnlyList<CelSyntax> Values { get; } = values;
}

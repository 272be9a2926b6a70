namespace Lekhika.Workflows.Expressions;

/// <summary><c>||</c> and <c>&amp;&amp;</c>: an operand that decides the result absorbs errors of the others, on either side.</summary>
internal sealed class LogicNode(int position, bool isOr, CelNode[] operands) : CelNode(position)
{
    public override CelValue Evaluate(ref CelFrame frame)
    {
        frame.Enter();
        var failed = default(CelValue);
        foreach (var operand in operands)
        {
            var value = operand.Evaluate(ref frame);
            if (value.Kind == CelKind.Bool)
            {
                if (value.IsTrue == isOr)
                    return value;
            }
            else if (!failed.IsError)
            {
                failed = value.IsError ? value : At(NotBool(isOr ? "||" : "&&", value));
            }
        }

        return failed.IsError ? failed : CelValue.From(!isOr);
    }

    public static CelValue NotBool(string what, in CelValue value) =>
        CelValue.Error($"no such overload: {what} takes bool, found {CelType.Of(value).Name}");
}

internal sealed class ConditionalNode(int position, CelNode condition, CelNode then, CelNode otherwise) : CelNode(position)
{
    public override CelValue Evaluate(ref CelFrame frame)
    {
        // An "else if" is followed here rather than by recursion.
        for (var node = this; ; node = (ConditionalNode)node.Otherwise)
        {
            frame.Enter();
            var test = node.Condition.Evaluate(ref frame);
            if (test.IsError)
                return test;
            if (test.Kind != CelKind.Bool)
                return node.At(LogicNode.NotBool("?:", test));
            if (test.IsTrue)
                return node.Then.Evaluate(ref frame);
            if (node.Otherwise is not ConditionalNode)
                return node.Otherwise.Evaluate(ref frame);
        }
    }

    private CelNode Condition => condition;

    private CelNode Then => then;

    private CelNode Otherwise => otherwise;
}

internal sealed class NotNode(int position, CelNode operand) : CelNode(position)
{
    public override CelValue Evaluate(ref CelFrame frame)
    {
        frame.Enter();
        var value = operand.Evaluate(ref frame);
        if (value.IsError)
            return value;
        return value.Kind == CelKind.Bool ? CelValue.From(!value.IsTrue) : At(LogicNode.NotBool("!", value));
    }
}

internal sealed class NegateNode(int position, CelNode operand) : CelNode(position)
{
    public override CelValue Evaluate(ref CelFrame frame)
    {
        frame.Enter();
        var value = operand.Evaluate(ref frame);
        return value.IsError ? value : At(CelArithmetic.Negate(value));
    }
}

internal sealed class ArithmeticNode(int position, char symbol, CelNode left, CelNode right) : CelNode(position)
{
    public override CelValue Evaluate(ref CelFrame frame)
    {
        frame.Enter();
        var a = left.Evaluate(ref frame);
        if (a.IsError)
            return a;
        var b = right.Evaluate(ref frame);
        return b.IsError ? b : At(CelArithmetic.Apply(symbol, a, b, ref frame));
    }
}

internal sealed class EqualNode(int position, bool negated, CelNode left, CelNode right) : CelNode(position)
{
    public override CelValue Evaluate(ref CelFrame frame)
    {
        frame.Enter();
        var a = left.Evaluate(ref frame);
        if (a.IsError)
            return a;
        var b = right.Evaluate(ref frame);
        return b.IsError ? b : CelValue.From(CelComparison.AreEqual(a, b, ref frame) != negated);
    }
}

/// <summary><c>&lt;</c>, <c>&lt;=</c>, <c>&gt;</c> and <c>&gt;=</c>.</summary>
internal sealed class OrderNode(int position, string symbol, CelNode left, CelNode right) : CelNode(position)
{
    private readonly bool _greater = symbol[0] == '>';
    private readonly bool _orEqual = symbol.Length == 2;

    public override CelValue Evaluate(ref CelFrame frame)
    {
        frame.Enter();
        var a = left.Evaluate(ref frame);
        if (a.IsError)
            return a;
        var b = right.Evaluate(ref frame);
        if (b.IsError)
            return b;
        var order = CelComparison.Compare(a, b, out var comparable, ref frame);
        if (!comparable)
            return At(CelError.NoOperator(symbol, a, b));
        return CelValue.From(order is { } sign && ((sign == 0 && _orEqual) || (_greater ? sign > 0 : sign < 0)));
    }
}

internal sealed class InNode(int position, CelNode left, CelNode right) : CelNode(position)
{
    public override CelValue Evaluate(ref CelFrame frame)
    {
        frame.Enter();
        var item = left.Evaluate(ref frame);
        if (item.IsError)
            return item;
        var collection = right.Evaluate(ref frame);
        if (collection.IsError)
            return collection;
        return collection.Kind switch
        {
            CelKind.List => CelValue.From(Contains(collection.ListValue, item, ref frame)),
            CelKind.Map => CelValue.From(collection.MapValue.TryGet(item, out _)),
            _ => At(CelError.NoOperator("in", item, collection)),
        };
    }

    public static bool Contains(CelList list, in CelValue item, ref CelFrame frame)
    {
        var cursor = default(CelCursor);
        while (list.Next(ref cursor, out var candidate))
        {
            frame.Charge();
            if (CelComparison.AreEqual(candidate, item, ref frame))
                return true;
        }

        return false;
    }
}

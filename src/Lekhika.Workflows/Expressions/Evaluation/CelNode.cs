namespace Lekhika.Workflows.Expressions;

/// <summary>
/// A compiled operation. Nodes hold no state of an evaluation, so one tree serves many threads; what varies is in the
/// <see cref="CelFrame"/>. An error is a value that is passed up until something absorbs it.
/// </summary>
internal abstract class CelNode(int position)
{
    /// <summary>Offset in the text, for messages.</summary>
    public int Position { get; } = position;

    public abstract CelValue Evaluate(ref CelFrame frame);

    /// <summary>Gives an error that has no place yet this node's.</summary>
    protected CelValue At(in CelValue value)
    {
        if (value.IsError && value.ErrorValue.Position < 0)
            value.ErrorValue.Position = Position;
        return value;
    }
}

internal sealed class LiteralNode(int position, CelValue value) : CelNode(position)
{
    public CelValue Value { get; } = value;

    public override CelValue Evaluate(ref CelFrame frame)
    {
        frame.Enter();
        return Value;
    }
}

/// <summary>Fails each time it is evaluated: a call that cannot work, where the compiler was asked to let it pass.</summary>
internal sealed class FailingNode(int position, string message) : CelNode(position)
{
    public override CelValue Evaluate(ref CelFrame frame) => At(CelValue.Error(message));
}

internal sealed class ListNode(int position, CelNode[] items) : CelNode(position)
{
    public override CelValue Evaluate(ref CelFrame frame)
    {
        frame.Enter();
        var values = new CelValue[items.Length];
        for (var i = 0; i < items.Length; i++)
        {
            values[i] = items[i].Evaluate(ref frame);
            if (values[i].IsError)
                return values[i];
        }

        return frame.NewList(values);
    }
}

internal sealed class MapNode(int position, CelNode[] keys, CelNode[] values) : CelNode(position)
{
    public override CelValue Evaluate(ref CelFrame frame)
    {
        frame.Enter();
        var (k, v) = (new CelValue[keys.Length], new CelValue[keys.Length]);
        for (var i = 0; i < keys.Length; i++)
        {
            k[i] = keys[i].Evaluate(ref frame);
            if (k[i].IsError)
                return k[i];
            v[i] = values[i].Evaluate(ref frame);
            if (v[i].IsError)
                return v[i];
        }

        return At(frame.NewMap(k, v));
    }
}

internal sealed class CallNode(int position, CelFunction function, CelNode[] args) : CelNode(position)
{
    public override CelValue Evaluate(ref CelFrame frame)
    {
        frame.Enter();
        var inline = default(Arguments);
        var values = args.Length <= Arguments.Length ? ((Span<CelValue>)inline)[..args.Length] : new CelValue[args.Length];
        for (var i = 0; i < args.Length; i++)
        {
            values[i] = args[i].Evaluate(ref frame);
            if (values[i].IsError)
                return values[i];
        }

        return At(function.Body(ref frame, values));
    }

    [System.Runtime.CompilerServices.InlineArray(Length)]
    private struct Arguments
    {
        public const int Length = 4;

        private CelValue _first;
    }
}

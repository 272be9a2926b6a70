using System.Runtime.CompilerServices;

namespace Lekhika.Workflows.Expressions;

/// <summary>One evaluation: the names it sees, the variables of its comprehensions and what it may still spend.</summary>
internal struct CelFrame(ICelBindings bindings, CelLimits limits, CelValue[] slots)
{
    private const int CharsPerStep = 64;

    private static readonly CelLimits s_unlimited = new() { MaxSteps = long.MaxValue, MaxSize = long.MaxValue, MaxValueDepth = int.MaxValue };

    private long _steps = limits.MaxSteps;

    public ICelBindings Bindings { get; } = bindings;

    public CelLimits Limits { get; } = limits;

    /// <summary>The variables of comprehensions, by number.</summary>
    public CelValue[] Slots { get; } = slots;

    public static CelFrame Unlimited() => new(CelBindings.Empty, s_unlimited, []);

    /// <summary>
    /// Charges for a node. Also sees that stack is left for it: trees are bounded, but the caller may have little, and a stack that
    /// overflows takes the process with it.
    /// </summary>
    public void Enter()
    {
        Charge();
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new CelBudgetException("the expression nests more than the stack of this thread allows");
    }

    public void Charge(long steps = 1)
    {
        _steps -= steps;
        if (_steps < 0)
            throw new CelBudgetException($"the expression takes more than {Limits.MaxSteps} steps; make its lists or texts smaller, or nest fewer comprehensions");
    }

    /// <summary>Charges for reading or making text or bytes.</summary>
    public void ChargeText(long length) => Charge(length / CharsPerStep);

    /// <summary>Refuses a text or byte value before it is made; also charges for it.</summary>
    public void ChargeNew(long length)
    {
        CheckSize(length);
        ChargeText(length);
    }

    public readonly void CheckSize(long length)
    {
        if (length > Limits.MaxSize)
            throw new CelBudgetException($"the expression makes a value of {length} characters or more; the limit is {Limits.MaxSize}");
    }

    /// <summary>Refuses a list or map that is too large or too deep.</summary>
    public readonly CelValue Admit(in CelValue value)
    {
        if (value.Weight > Limits.MaxSize)
            throw new CelBudgetException($"the expression makes a list or map larger than the limit of {Limits.MaxSize} characters");
        if (value.Depth > Limits.MaxValueDepth)
            throw new CelBudgetException($"the expression nests lists and maps deeper than the limit of {Limits.MaxValueDepth}");
        return value;
    }

    public readonly CelValue NewList(CelValue[] items) => Admit(CelValue.From(new CelArrayList(items)));

    public readonly CelValue NewMap(CelValue[] keys, CelValue[] values)
    {
        var map = CelEntryMap.Create(keys, values);
        return map.IsError ? map : Admit(map);
    }
}

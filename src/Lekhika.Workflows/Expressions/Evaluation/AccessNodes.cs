namespace Lekhika.Workflows.Expressions;

/// <summary>A free name, asked of the bindings each time.</summary>
internal sealed class NameNode(int position, string name) : CelNode(position)
{
    public override CelValue Evaluate(ref CelFrame frame)
    {
        frame.Enter();
        if (frame.Bindings.TryResolve(name, out var value) || CelType.TryFind(name, out value))
            return value;
        return At(CelValue.Error($"undeclared reference to '{name}'"));
    }
}

/// <summary>A free name with members where names may be dotted: the longest one that is bound wins, in the container and its parents first.</summary>
internal sealed class QualifiedNameNode : CelNode
{
    private readonly string _name;
    private readonly string[] _members;
    private readonly (string Name, int Parts)[] _candidates;

    public QualifiedNameNode(int position, string[] parts, string container, bool rooted)
        : base(position)
    {
        _name = parts[0];
        _members = parts;
        var candidates = new List<(string, int)>();
        for (var length = parts.Length; length > 0; length--)
        {
            var name = string.Join('.', parts, 0, length);
            for (var scope = rooted ? "" : container; scope.Length > 0; scope = scope[..Math.Max(0, scope.LastIndexOf('.'))])
                candidates.Add(($"{scope}.{name}", length));
            candidates.Add((name, length));
        }

        _candidates = [.. candidates];
    }

    public override CelValue Evaluate(ref CelFrame frame)
    {
        foreach (var (name, parts) in _candidates)
        {
            frame.Charge();
            if (!frame.Bindings.TryResolve(name, out var value) && !CelType.TryFind(name, out value))
                continue;
            for (var i = parts; i < _members.Length && !value.IsError; i++)
                value = SelectNode.Select(value, _members[i]);
            return At(value);
        }

        return At(CelValue.Error($"undeclared reference to '{_name}'"));
    }
}

/// <summary>A variable of a comprehension or of <c>cel.bind</c>.</summary>
internal sealed class VariableNode(int position, int slot) : CelNode(position)
{
    public override CelValue Evaluate(ref CelFrame frame)
    {
        frame.Enter();
        return frame.Slots[slot];
    }
}

internal sealed class SelectNode(int position, CelNode target, string member) : CelNode(position)
{
    public override CelValue Evaluate(ref CelFrame frame)
    {
        frame.Enter();
        var value = target.Evaluate(ref frame);
        return value.IsError ? value : At(Select(value, member));
    }

    public static CelValue Select(in CelValue value, string member)
    {
        if (value.Kind == CelKind.Map)
            return value.MapValue.TryGet(member, out var found) ? found : CelError.NoSuchKey(CelValue.From(member), value.MapValue);
        var hint = member is "length" or "Length" or "count" && value.Kind is CelKind.List or CelKind.String ? "; use size(…)" : "";
        return CelValue.Error($"type {CelType.Of(value).Name} does not support field selection: cannot take '{CelError.Shorten(member)}' of it{hint}");
    }
}

/// <summary><c>has(target.member)</c>.</summary>
internal sealed class HasNode(int position, CelNode target, string member) : CelNode(position)
{
    public override CelValue Evaluate(ref CelFrame frame)
    {
        frame.Enter();
        var value = target.Evaluate(ref frame);
        if (value.IsError)
            return value;
        return value.Kind == CelKind.Map
            ? CelValue.From(value.MapValue.TryGet(member, out _))
            : At(CelValue.Error($"type {CelType.Of(value).Name} does not support field selection: has() asks for a member of a map"));
    }
}

internal sealed class IndexNode(int position, CelNode target, CelNode index) : CelNode(position)
{
    public override CelValue Evaluate(ref CelFrame frame)
    {
        frame.Enter();
        var value = target.Evaluate(ref frame);
        if (value.IsError)
            return value;
        var key = index.Evaluate(ref frame);
        return key.IsError ? key : At(Index(value, key));
    }

    private static CelValue Index(in CelValue value, in CelValue key)
    {
        if (value.Kind == CelKind.Map)
            return value.MapValue.TryGet(key, out var found) ? found : CelError.NoSuchKey(key, value.MapValue);
        if (value.Kind != CelKind.List)
            return CelError.NoOperator("[]", value, key);
        if (!key.TryGetInt64(out var at))
            return CelValue.Error($"invalid index {CelError.Shorten(key.ToText())}: a list is indexed with an integer");
        var count = value.ListValue.Count;
        return at >= 0 && at < count
            ? value.ListValue.At((int)at)
            : CelValue.Error($"index out of bounds: {at} in a list of {count}");
    }
}

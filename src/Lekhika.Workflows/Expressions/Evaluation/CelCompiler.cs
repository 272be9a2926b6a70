using System.Runtime.CompilerServices;

namespace Lekhika.Workflows.Expressions;

/// <summary>
/// Turns a syntax tree into nodes: expands macros, gives the variables of comprehensions their slots, finds functions and lists the free
/// names. A slot belongs to one place in the text, so nested comprehensions never share one while both run.
/// </summary>
internal sealed partial class CelCompiler(string text, CelCompileOptions options)
{
    private readonly List<(string Name, int Slot)> _scope = [];

    public List<CelReference> References { get; } = [];

    public int SlotCount { get; private set; }

    public CelNode Compile(CelSyntax syntax) => RuntimeHelpers.TryEnsureSufficientExecutionStack()
        ? Node(syntax)
        : throw Error(syntax.Position, "the expression nests more than the stack of this thread allows");

    private CelNode Node(CelSyntax syntax) => syntax switch
    {
        LiteralSyntax literal => new LiteralNode(literal.Position, literal.Value),
        NameSyntax or SelectSyntax or IndexSyntax => Access(syntax, isTested: false),
        CallSyntax call => Call(call),
        UnarySyntax { Symbol: '!' } not => new NotNode(not.Position, Compile(not.Operand)),
        UnarySyntax minus => new NegateNode(minus.Position, Compile(minus.Operand)),
        LogicSyntax logic => new LogicNode(logic.Position, logic.IsOr, All(logic.Operands)),
        ConditionalSyntax choice => Conditional(choice),
        ListSyntax list => List(list),
        MapSyntax map => Map(map),
        BinarySyntax binary => Binary(binary),
        _ => throw new InvalidOperationException($"No operation for {syntax.GetType().Name}."),
    };

    private CelNode[] All(IReadOnlyList<CelSyntax> children)
    {
        var nodes = new CelNode[children.Count];
        for (var i = 0; i < nodes.Length; i++)
            nodes[i] = Compile(children[i]);
        return nodes;
    }

    private CelNode Binary(BinarySyntax binary)
    {
        var (left, right) = (Compile(binary.Left), Compile(binary.Right));
        return binary.Symbol switch
        {
            "==" or "!=" => new EqualNode(binary.Position, binary.Symbol == "!=", left, right),
            "<" or "<=" or ">" or ">=" => new OrderNode(binary.Position, binary.Symbol, left, right),
            "in" => new InNode(binary.Position, left, right),
            _ => new ArithmeticNode(binary.Position, binary.Symbol[0], left, right),
        };
    }

    private ConditionalNode Conditional(ConditionalSyntax choice) =>
        new(choice.Position, Compile(choice.Condition), Compile(choice.Then), Compile(choice.Otherwise));

    /// <summary>A list or map of literals is made once.</summary>
    private CelNode List(ListSyntax list)
    {
        var items = All(list.Items);
        return Array.TrueForAll(items, static item => item is LiteralNode)
            ? new LiteralNode(list.Position, CelValue.From(new CelArrayList(Array.ConvertAll(items, static item => ((LiteralNode)item).Value))))
            : new ListNode(list.Position, items);
    }

    private CelNode Map(MapSyntax map)
    {
        var (keys, values) = (All(map.Keys), All(map.Values));
        if (Array.TrueForAll(keys, static key => key is LiteralNode) && Array.TrueForAll(values, static value => value is LiteralNode))
        {
            var made = CelEntryMap.Create(
                Array.ConvertAll(keys, static key => ((LiteralNode)key).Value), Array.ConvertAll(values, static value => ((LiteralNode)value).Value));
            if (!made.IsError)
                return new LiteralNode(map.Position, made);
        }

        return new MapNode(map.Position, keys, values);
    }

    /// <summary>
    /// A name or value with the members and elements taken of it; the last member is only asked for if <paramref name="isTested"/>.
    /// Walks a chain from its root, so long ones do not nest.
    /// </summary>
    private CelNode Access(CelSyntax syntax, bool isTested)
    {
        var steps = new Stack<CelSyntax>();
        var root = syntax;
        while (root is SelectSyntax or IndexSyntax)
        {
            steps.Push(root);
            root = root is SelectSyntax select ? select.Target : ((IndexSyntax)root).Target;
        }

        CelNode node;
        if (root is not NameSyntax name)
            node = Compile(root);
        else if (!name.Rooted && FindSlot(name.Name) is { } slot)
            node = new VariableNode(name.Position, slot);
        else
            node = FreeName(name, steps, isTested);
        while (steps.TryPop(out var step))
        {
            if (step is IndexSyntax index)
                node = new IndexNode(step.Position, node, Compile(index.Index));
            else if (isTested && steps.Count == 0)
                node = new HasNode(step.Position, node, ((SelectSyntax)step).Member);
            else
                node = new SelectNode(step.Position, node, ((SelectSyntax)step).Member);
        }

        return node;
    }

    /// <summary>Records the reference. Takes from <paramref name="steps"/> what a dotted name swallows.</summary>
    private CelNode FreeName(NameSyntax name, Stack<CelSyntax> steps, bool isTested)
    {
        var path = new List<CelPathSegment>();
        foreach (var step in steps)
        {
            if (step is SelectSyntax select)
                path.Add(new(select.Member));
            else if (((IndexSyntax)step).Index is LiteralSyntax { Value: { Kind: CelKind.String } key })
                path.Add(new(key.StringValue));
            else if (((IndexSyntax)step).Index is LiteralSyntax { Value: { Kind: CelKind.Int } index })
                path.Add(new(null, index.IntValue));
            else
                break;
        }

        var dotted = new List<string> { name.Name };
        foreach (var step in steps)
        {
            if (step is not SelectSyntax select)
                break;
            dotted.Add(select.Member);
        }

        if (!options.QualifiedNames)
        {
            if (dotted is ["google", "protobuf", var last, ..] && CelType.TryFind($"google.protobuf.{last}", out var type))
            {
                (_, _) = (steps.Pop(), steps.Pop());
                return new LiteralNode(name.Position, type);
            }

            if (!CelType.TryFind(name.Name, out _))
                Refer(name, path, isTested && path.Count == steps.Count);
            return new NameNode(name.Position, name.Name);
        }

        Refer(name, path, isTested && path.Count == steps.Count);
        if (isTested && dotted.Count == steps.Count + 1)
            dotted.RemoveAt(dotted.Count - 1);
        for (var i = 1; i < dotted.Count; i++)
            steps.Pop();
        return new QualifiedNameNode(name.Position, [.. dotted], options.Container, name.Rooted);
    }

    private void Refer(NameSyntax name, List<CelPathSegment> path, bool isTested)
    {
        var (line, column) = SourcePosition.Of(text, name.Position);
        References.Add(new CelReference(name.Name, path, line, column, isTested));
    }

    private int? FindSlot(string name)
    {
        for (var i = _scope.Count - 1; i >= 0; i--)
        {
            if (string.Equals(_scope[i].Name, name, StringComparison.Ordinal))
                return _scope[i].Slot;
        }

        return null;
    }

    private CelSyntaxException Error(int position, string description) => CelSyntaxException.At(text, position, description);
}

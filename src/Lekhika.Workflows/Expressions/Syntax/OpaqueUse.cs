namespace Lekhika.Workflows.Expressions;

// What an opaque name holds is not known while an expression runs: a stand-in is put where the expression says, and the value takes its place later.
// So an expression may only say where it goes. It goes through +, through either branch of a condition, and into lists and maps; everything else
// (functions, comparisons, a test with has) would look at the stand-in and be wrong without a word, and is refused when it is compiled.

/// <summary>Holds an expression to putting the members of an opaque name in their place.</summary>
internal static class OpaqueUse
{
    /// <exception cref="CelSyntaxException">A member is looked into, or the name is used without saying which member.</exception>
    public static void Check(string text, CelSyntax root, string name) => new Walk(text, name).Visit(root, placed: true);

    private sealed class Walk(string text, string name)
    {
        public void Visit(CelSyntax syntax, bool placed)
        {
            switch (syntax)
            {
                case NameSyntax whole when IsName(whole):
                    throw Error(whole, $"{name} are named one by one: {name}.NAME");
                case SelectSyntax { Target: NameSyntax target } when IsName(target):
                    Member(target, placed);
                    break;
                case IndexSyntax { Target: NameSyntax target, Index: LiteralSyntax { Value.Kind: CelKind.String } } when IsName(target):
                    Member(target, placed);
                    break;
                case SelectSyntax select:
                    Visit(select.Target, placed: false);
                    break;
                case IndexSyntax index:
                    Visit(index.Target, placed: false);
                    Visit(index.Index, placed: false);
                    break;
                case CallSyntax call:
                    if (call.Target is { } receiver) Visit(receiver, placed: false);
                    All(call.Args, placed: false);
                    break;
                case UnarySyntax unary:
                    Visit(unary.Operand, placed: false);
                    break;
                case BinarySyntax binary:
                    Visit(binary.Left, placed && binary.Symbol == "+");
                    Visit(binary.Right, placed && binary.Symbol == "+");
                    break;
                case LogicSyntax logic:
                    All(logic.Operands, placed: false);
                    break;
                case ConditionalSyntax choice:
                    Visit(choice.Condition, placed: false);
                    Visit(choice.Then, placed);
                    Visit(choice.Otherwise, placed);
                    break;
                case ListSyntax list:
                    All(list.Items, placed);
                    break;
                case MapSyntax map:
                    All(map.Keys, placed: false);
                    All(map.Values, placed);
                    break;
            }
        }

        private void Member(NameSyntax target, bool placed)
        {
            if (!placed)
                throw Error(target, $"the value of {name}.NAME can only be put in its place, alone or joined to other text with +; functions, comparisons and has() do not see it");
        }

        private void All(IReadOnlyList<CelSyntax> children, bool placed)
        {
            foreach (var child in children) Visit(child, placed);
        }

        private bool IsName(CelSyntax syntax) => syntax is NameSyntax { Name: var written } && written == name;

        private CelSyntaxException Error(CelSyntax syntax, string description) => CelSyntaxException.At(text, syntax.Position, description);
    }
}

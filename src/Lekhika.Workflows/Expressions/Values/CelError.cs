namespace Lekhika.Workflows.Expressions;

/// <summary>An error on its way up an evaluation. Belongs to one evaluation, so the place can be filled in late.</summary>
internal sealed class CelError(string message, CelMap? searched = null)
{
    private const int KeysShown = 12;

    /// <summary>Offset in the expression; negative until the operation that failed is known.</summary>
    public int Position { get; set; } = -1;

    /// <summary>Written out only when the error is not absorbed: lists the keys that were there.</summary>
    public string Describe()
    {
        if (searched is null)
            return message;
        var keys = new List<string>();
        foreach (var (key, _) in searched.Enumerate())
        {
            if (keys.Count == KeysShown)
            {
                keys.Add("…");
                break;
            }

            keys.Add(key.Kind == CelKind.String ? $"'{Shorten(key.StringValue)}'" : key.ToText());
        }

        return keys.Count == 0 ? $"{message} (the map is empty)" : $"{message} (the keys are {string.Join(", ", keys)})";
    }

    public static string Shorten(string text) => text.Length <= 40 ? text : string.Concat(text.AsSpan(0, 40), "…");

    public static CelValue NoSuchKey(in CelValue key, CelMap? map) => key.Kind == CelKind.String
        ? CelValue.Error(new CelError($"no such key: '{Shorten(key.StringValue)}'", map))
        : CelValue.Error(new CelError($"no such key: {Shorten(key.ToText())}", map));

    public static CelValue NoOverload(string function, ReadOnlySpan<CelValue> args)
    {
        var kinds = new string[args.Length];
        for (var i = 0; i < args.Length; i++)
            kinds[i] = CelType.Of(args[i]).Name;
        return CelValue.Error($"no such overload: {function}({string.Join(", ", kinds)})");
    }

    public static CelValue NoOperator(string symbol, in CelValue left, in CelValue right) =>
        CelValue.Error($"no such overload: {CelType.Of(left).Name} {symbol} {CelType.Of(right).Name}{Hint(symbol, left, right)}");

    private static string Hint(string symbol, in CelValue left, in CelValue right)
    {
        if (left.IsNull || right.IsNull)
            return symbol == "+" ? "; one side is null" : "; compare with '== null' first";
        if (left.Kind != right.Kind && (left.Kind == CelKind.String || right.Kind == CelKind.String))
            return symbol == "+" ? "; convert with string(…)" : "; convert with int(…), double(…) or string(…)";
        return left.IsNumber && right.IsNumber ? "; convert with int(…) or double(…)" : "";
    }
}

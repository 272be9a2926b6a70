using System.Collections.Frozen;

namespace Lekhika.Workflows.Expressions;

/// <summary>
/// The functions there are: the standard ones of CEL, its string extension, and those of its math, list, set and encoder extensions.
/// Overloads are chosen by the kinds of the arguments inside each body.
/// </summary>
internal static class CelFunctions
{
    public const string Matches = "matches";

    private const int Any = 1000;

    private static readonly FrozenDictionary<string, CelFunction> s_globals = Table(
    [
        new("size", 1, 1, ListFunctions.Size),
        new(Matches, 2, 2, MatchesNode.Refuse),
        new("int", 1, 1, Conversions.ToInt),
        new("uint", 1, 1, Conversions.ToUInt),
        new("double", 1, 1, Conversions.ToDouble),
        new("string", 1, 1, Conversions.ToText),
        new("bytes", 1, 1, Conversions.ToBytes),
        new("bool", 1, 1, Conversions.ToBool),
        new("timestamp", 1, 1, Conversions.ToTimestamp),
        new("duration", 1, 1, Conversions.ToDuration),
        new("dyn", 1, 1, Conversions.ToDyn),
        new("type", 1, 1, Conversions.ToType),
        new("strings.quote", 1, 1, StringFunctions.Quote),
        new("base64.encode", 1, 1, Conversions.ToBase64),
        new("base64.decode", 1, 1, Conversions.FromBase64),
        new("math.greatest", 1, Any, MathFunctions.Greatest),
        new("math.least", 1, Any, MathFunctions.Least),
        new("math.ceil", 1, 1, MathFunctions.Ceil),
        new("math.floor", 1, 1, MathFunctions.Floor),
        new("math.round", 1, 1, MathFunctions.Round),
        new("math.trunc", 1, 1, MathFunctions.Trunc),
        new("math.sqrt", 1, 1, MathFunctions.Sqrt),
        new("math.abs", 1, 1, MathFunctions.Abs),
        new("math.sign", 1, 1, MathFunctions.Sign),
        new("math.isNaN", 1, 1, MathFunctions.IsNaN),
        new("math.isInf", 1, 1, MathFunctions.IsInf),
        new("math.isFinite", 1, 1, MathFunctions.IsFinite),
        new("math.bitAnd", 2, 2, MathFunctions.BitAnd),
        new("math.bitOr", 2, 2, MathFunctions.BitOr),
        new("math.bitXor", 2, 2, MathFunctions.BitXor),
        new("math.bitNot", 1, 1, MathFunctions.BitNot),
        new("math.bitShiftLeft", 2, 2, MathFunctions.BitShiftLeft),
        new("math.bitShiftRight", 2, 2, MathFunctions.BitShiftRight),
        new("lists.range", 1, 1, ListFunctions.Range),
        new("sets.contains", 2, 2, ListFunctions.SetContains),
        new("sets.intersects", 2, 2, ListFunctions.SetIntersects),
        new("sets.equivalent", 2, 2, ListFunctions.SetEquivalent),
    ]);

    private static readonly FrozenDictionary<string, CelFunction> s_methods = Table(
    [
        new("size", 1, 1, ListFunctions.Size),
        new(Matches, 2, 2, MatchesNode.Refuse),
        new("contains", 2, 2, StringFunctions.Contains),
        new("startsWith", 2, 2, StringFunctions.StartsWith),
        new("endsWith", 2, 2, StringFunctions.EndsWith),
        new("charAt", 2, 2, StringFunctions.CharAt),
        new("indexOf", 2, 3, StringFunctions.IndexOf),
        new("lastIndexOf", 2, 3, StringFunctions.LastIndexOf),
        new("join", 1, 2, StringFunctions.Join),
        new("lowerAscii", 1, 1, StringFunctions.LowerAscii),
        new("upperAscii", 1, 1, StringFunctions.UpperAscii),
        new("replace", 3, 4, StringFunctions.Replace),
        new("split", 2, 3, StringFunctions.Split),
        new("substring", 2, 3, StringFunctions.Substring),
        new("trim", 1, 1, StringFunctions.Trim),
        new("reverse", 1, 1, ListFunctions.Reverse),
        new("format", 2, 2, StringFormat.Format),
        new("slice", 3, 3, ListFunctions.Slice),
        new("flatten", 1, 2, ListFunctions.Flatten),
        new("distinct", 1, 1, ListFunctions.Distinct),
        new("sort", 1, 1, ListFunctions.Sort),
        new("first", 1, 1, ListFunctions.First),
        new("last", 1, 1, ListFunctions.Last),
        new("getFullYear", 1, 2, TimeFunctions.FullYear),
        new("getMonth", 1, 2, TimeFunctions.Month),
        new("getDate", 1, 2, TimeFunctions.Date),
        new("getDayOfMonth", 1, 2, TimeFunctions.DayOfMonth),
        new("getDayOfWeek", 1, 2, TimeFunctions.DayOfWeek),
        new("getDayOfYear", 1, 2, TimeFunctions.DayOfYear),
        new("getHours", 1, 2, TimeFunctions.Hours),
        new("getMinutes", 1, 2, TimeFunctions.Minutes),
        new("getSeconds", 1, 2, TimeFunctions.Seconds),
        new("getMilliseconds", 1, 2, TimeFunctions.Milliseconds),
    ]);

    public static CelFunction? FindGlobal(string name) => s_globals.GetValueOrDefault(name);

    public static CelFunction? FindMethod(string name) => s_methods.GetValueOrDefault(name);

    public static IEnumerable<string> Names(bool methods) => (methods ? s_methods : s_globals).Keys;

    private static FrozenDictionary<string, CelFunction> Table(CelFunction[] functions) =>
        functions.ToFrozenDictionary(static function => function.Name, StringComparer.Ordinal);
}

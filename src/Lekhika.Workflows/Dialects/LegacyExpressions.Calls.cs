using System.Collections.Frozen;

namespace Lekhika.Workflows.Dialects;

/// <summary>What hangs on an operand: members, elements and methods, those with a function as their argument included.</summary>
internal sealed partial class LegacyExpressions
{
    /// <summary>Methods that name a variable, and the macros of CEL they are.</summary>
    private static readonly FrozenDictionary<string, string> Macros = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["map"] = "map",
        ["filter"] = "filter",
        ["exists"] = "exists",
        ["some"] = "exists",
        ["all"] = "all",
        ["every"] = "all",
        ["exists_one"] = "exists_one",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, string> MathNames = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["round"] = "math.round",
        ["floor"] = "math.floor",
        ["ceil"] = "math.ceil",
        ["trunc"] = "math.trunc",
        ["abs"] = "math.abs",
        ["sqrt"] = "math.sqrt",
        ["max"] = "math.greatest",
        ["min"] = "math.least",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private sealed partial class Scanner
    {
        private readonly HashSet<string> _bound = new(StringComparer.Ordinal);

        private string Postfix(string operand)
        {
            while (_position < text.Length)
            {
                var start = _position;
                if (At('['))
                {
                    operand += Group('[');
                    continue;
                }

                if (At("?.")) _position += 2;
                else if (At('.')) _position++;
                else break;
                var begin = _position;
                while (_position < text.Length && CelText.IsNamePart(text[_position])) _position++;
                var name = text[begin.._position];
                if (name.Length == 0)
                {
                    _position = start;
                    break;
                }

                if (At('(')) operand = Call(operand, name);
                else operand = name == "length" ? $"size({operand})" : Step(operand, name);
            }

            return operand;
        }

        private string Call(string operand, string name)
        {
            if (Macros.TryGetValue(name, out var macro)) return MacroCall(operand, macro) ?? $"{operand}.{Method(name)}{Group('(')}";
            if (name != "includes") return $"{operand}.{Method(name)}{Group('(')}";

            // Texts and lists both have it.
            var sought = Group('(');
            return $"(type({operand}) == list ? {sought} in {operand} : {operand}.contains{sought})";
        }

        /// <summary><c>(x, …)</c> of CEL, or <c>(x =&gt; …)</c> of JavaScript: inside, x means the item.</summary>
        private string? MacroCall(string operand, string macro)
        {
            var start = _position++;
            Spaces();
            var inBrackets = At('(');
            if (inBrackets) _position++;
            if (_position < text.Length && CelText.IsNameStart(text[_position]))
            {
                var variable = Name();
                if (inBrackets && At(')')) _position++;
                Spaces();
                var arrow = At("=>");
                if (arrow || (At(',') && !inBrackets))
                {
                    _position += arrow ? 2 : 1;
                    Spaces();
                    var isNew = _bound.Add(variable);
                    var inner = Sequence(')');
                    if (isNew) _bound.Remove(variable);
                    if (_position < text.Length) _position++;
                    return $"{operand}.{macro}({variable}, {inner.TrimEnd()})";
                }
            }

            _position = start;
            return null;
        }

        /// <summary>A function of JavaScript's Math; null, and nothing taken, where CEL has none like it.</summary>
        private string? Maths()
        {
            var start = _position;
            if (At('.'))
            {
                _position++;
                if (_position < text.Length && CelText.IsNameStart(text[_position]) && MathNames.TryGetValue(Name(), out var function) && At('('))
                    return function + Group('(');
            }

            _position = start;
            return null;
        }

        private void Spaces()
        {
            while (At(' ')) _position++;
        }
    }
}

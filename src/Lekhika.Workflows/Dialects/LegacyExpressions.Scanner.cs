using System.Text;

namespace Lekhika.Workflows.Dialects;

/// <summary>The scanner: reads operands with all that hangs on them, and copies what stands between.</summary>
internal sealed partial class LegacyExpressions
{
    private sealed partial class Scanner(LegacyExpressions owner, string text, int startDepth)
    {
        private static readonly string[] Operators = ["===", "!==", "==", "!=", "<=", ">=", "&&", "||"];
        private int _position;
        private int _depth = startDepth;

        public string Run() => Sequence('\0');

        private bool At(string word) => string.CompareOrdinal(text, _position, word, 0, word.Length) == 0;

        private bool At(char character) => _position < text.Length && text[_position] == character;

        private string Sequence(char closing)
        {
            var result = new StringBuilder();
            if (_depth++ > Deepest)
            {
                result.Append(text.AsSpan(_position));
                _position = text.Length;
                return result.ToString();
            }

            while (_position < text.Length)
            {
                var character = text[_position];
                if (character == closing && closing != '\0') break;
                if (Operand(character) is { } operand)
                {
                    result.Append(operand);
                    continue;
                }

                var word = Operators.FirstOrDefault(At) ?? character.ToString();
                result.Append(Operator(word));
                _position += word.Length;
            }

            _depth--;
            return result.ToString();
        }

        /// <summary>One operand with all that hangs on it, or null if there is none here.</summary>
        private string? Operand(char character)
        {
            if (At("{{")) return Postfix(Enclosed("{{", "}}"));
            if (At("${")) return Postfix(Enclosed("${", "}"));
            if (character is '"' or '\'' or '`') return Postfix(Literal(character));
            if (character is '(' or '[' or '{') return Postfix(Group(character));
            if (char.IsAsciiDigit(character)) return Number();
            return CelText.IsNameStart(character) || character == '$' || IdHere() is not null ? Path() : null;
        }

        private string Enclosed(string open, string close)
        {
            var end = text.IndexOf(close, _position + open.Length, StringComparison.Ordinal);
            if (end < 0) end = text.Length;
            var inner = text[(_position + open.Length)..end].Trim();
            _position = Math.Min(text.Length, end + close.Length);
            var cel = new Scanner(owner, inner, _depth + 1).Run().Trim();
            return cel.AsSpan().IndexOfAny(Operating) >= 0 && !IsWrapped(cel) ? $"({cel})" : cel;
        }

        private static bool IsWrapped(string cel)
        {
            if (cel.Length == 0 || cel[0] != '(') return false;
            var open = 0;
            for (var index = 0; index < cel.Length; index++)
            {
                open += cel[index] == '(' ? 1 : cel[index] == ')' ? -1 : 0;
                if (open == 0) return index == cel.Length - 1;
            }

            return false;
        }

        private string Group(char open)
        {
            var close = open == '(' ? ')' : open == '[' ? ']' : '}';
            _position++;
            var inner = Sequence(close);
            if (_position >= text.Length) return open + inner;
            _position++;
            return open + inner + close;
        }

        private string Number()
        {
            var start = _position;
            while (_position < text.Length && (char.IsAsciiLetterOrDigit(text[_position]) || text[_position] == '.')) _position++;
            return text[start.._position];
        }

        private string Literal(char quote)
        {
            var start = ++_position;
            while (_position < text.Length && text[_position] != quote) _position += text[_position] == '\\' ? 2 : 1;
            var end = Math.Min(_position, text.Length);
            var content = text[start..end];
            var closed = end < text.Length;
            _position = Math.Min(text.Length, end + 1);
            if (content.Contains("{{", StringComparison.Ordinal) || content.Contains("${", StringComparison.Ordinal)) return Interpolated(content, quote);
            if (quote == '`') return CelText.Quote(content);
            return closed ? $"{quote}{content}{quote}" : $"{quote}{content}";
        }

        /// <summary>A quoted text with names in it, such as <c>"{{input.status}}"</c>: joined out of its parts.</summary>
        private string Interpolated(string content, char quote)
        {
            var parts = new List<string>();
            var scanner = new Scanner(owner, content, _depth + 1);
            var start = 0;
            while (scanner._position < content.Length)
            {
                if (_depth > Deepest || !(scanner.At("{{") || scanner.At("${")))
                {
                    scanner._position++;
                    continue;
                }

                if (scanner._position > start) parts.Add($"{Edge(quote)}{content[start..scanner._position]}{Edge(quote)}");
                parts.Add($"string({(scanner.At("{{") ? scanner.Enclosed("{{", "}}") : scanner.Enclosed("${", "}"))})");
                start = scanner._position;
            }

            if (start < content.Length) parts.Add($"{Edge(quote)}{content[start..]}{Edge(quote)}");
            return parts.Count == 1 ? parts[0] : $"({string.Join(" + ", parts)})";
        }

        private static char Edge(char quote) => quote == '`' ? '"' : quote;

        private string? IdHere()
        {
            foreach (var id in owner._oddIds)
            {
                if (At(id) && EndsAt(_position + id.Length)) return id;
            }

            var end = _position;
            while (end < text.Length && end - _position < LongestId && IsPlain(text[end])) end++;
            for (; end > _position; end--)
            {
                if (EndsAt(end) && owner._plainIds.TryGetValue(text[_position..end], out var id)) return id;
            }

            return null;
        }

        private bool EndsAt(int end) =>
            end == text.Length || !(CelText.IsNamePart(text[end]) || (text[end] == '-' && end + 1 < text.Length && CelText.IsNamePart(text[end + 1])));

        private string Path()
        {
            if (IdHere() is null && Word() is { } word) return word;
            var (root, members) = RootAndMembers();
            if (_bound.Contains(root)) return Postfix(members.Aggregate(root, Step));
            var (cel, used) = owner._resolve(root, members);
            return Postfix(members.Skip(used).Aggregate(cel, Step));
        }

        /// <summary>The whole text as one path, null where it does not lead to anything; null if the text is anything else.</summary>
        public string? WholePath()
        {
            if (text.Length == 0 || (IdHere() is null && (!(CelText.IsNameStart(text[0]) || text[0] == '$') || Word() is not null))) return null;
            var (root, members) = RootAndMembers();
            if (_position < text.Length) return null;
            var (cel, used) = owner._resolve(root, members);
            var rest = members.Skip(used).ToList();
            if (used < members.Count && NodePart(cel) is var (output, part)) (cel, rest) = (output, [part, .. rest]);
            return CelText.OrNull(cel, rest);
        }

        /// <summary>The output and the part of it, of CEL such as <c>nodes["get"].json</c>.</summary>
        private static (string Output, string Part)? NodePart(string cel)
        {
            var dot = cel.LastIndexOf("\"].", StringComparison.Ordinal);
            return dot > 0 && cel.StartsWith("nodes[\"", StringComparison.Ordinal) && CelText.IsName(cel[(dot + 3)..]) ? (cel[..(dot + 2)], cel[(dot + 3)..]) : null;
        }

        /// <summary>A word of the language or the call of a function; null, and nothing taken, for a name.</summary>
        private string? Word()
        {
            var start = _position;
            var root = Name();
            switch (root)
            {
                case "true" or "false" or "null" or "in": return root;
                case "True": return "true";
                case "False": return "false";
                case "None" or "undefined": return "null";
                case "and" or "or": return Operator(root);
                case "not": return NegatedHere();
            }

            if (root == "Math" && Maths() is { } maths) return Postfix(maths);
            if (At('(')) return Postfix(Function(root) + Group('('));
            _position = start;
            return null;
        }

        private string Name()
        {
            var start = _position++;
            while (_position < text.Length && (CelText.IsNamePart(text[_position]) || text[_position] == '$')) _position++;
            return text[start.._position];
        }

        private (string Root, List<string> Members) RootAndMembers()
        {
            var root = IdHere();
            if (root is null) root = Name();
            else _position += root.Length;
            var members = new List<string>();
            while (NextMember() is { } member) members.Add(member);
            return (root, members);
        }

        /// <summary>Python's <c>not x</c> and <c>x not in y</c>: the first is CEL's <c>!</c>, the second is left to the compiler.</summary>
        private string NegatedHere()
        {
            while (At(' ')) _position++;
            return "!";
        }

        /// <summary>The next plain member of a path; null before a method, an index that is computed, or the end.</summary>
        private string? NextMember()
        {
            var start = _position;
            if (At("?.")) _position += 2;
            else if (At('.')) _position++;
            else return IndexMember();
            var begin = _position;
            while (_position < text.Length && CelText.IsNamePart(text[_position])) _position++;
            var name = text[begin.._position];
            if (name.Length > 0 && name != "length" && !At('(')) return name;
            _position = start;
            return null;
        }

        private string? IndexMember()
        {
            if (!At('[') || _position + 1 >= text.Length || text[_position + 1] is not ('"' or '\'')) return null;
            var quote = text[_position + 1];
            var end = text.IndexOf(quote, _position + 2);
            if (end < 0 || end + 1 >= text.Length || text[end + 1] != ']') return null;
            var name = text[(_position + 2)..end];
            if (name.Contains('\\', StringComparison.Ordinal)) return null;
            _position = end + 2;
            return name;
        }

        private static string Step(string cel, string member) =>
            member.All(char.IsAsciiDigit) ? $"{cel}[{member}]" : CelText.Member(cel, member);
    }
}

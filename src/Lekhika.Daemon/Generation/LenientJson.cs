using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Lekhika.Daemon.Generation;

/// <summary>
/// Reads one JSON value out of a text as models write it. What has one meaning only is put right, and each such repair is named: trailing, doubled
/// and missing commas, comments, single and typographic quotes, names without quotes, True/False/None, line breaks inside strings, stray
/// backslashes, brackets that were forgotten. What could mean several things is refused with the place: quotes inside strings, values cut in the
/// middle, an ellipsis, words that are no value. A text that ends before its brackets are closed is refused too, unless it was not cut off and
/// ends right after a value.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The writer holds nothing but the buffer beside it.")]
internal sealed partial class LenientJson
{
    private const int MaxDepth = 200;

    private readonly string _text;
    private readonly bool _wasCut;
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly Utf8JsonWriter _writer;
    private readonly Stack<char> _open = new();
    private readonly SortedSet<string> _repairs = new(StringComparer.Ordinal);
    private int _at;
    private bool _ended;

    private LenientJson(string text, int start, bool wasCut)
    {
        (_text, _at, _wasCut) = (text, start, wasCut);
        _writer = new Utf8JsonWriter(_buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = MaxDepth + 10 });
    }

    /// <summary>Reads the value that begins at <paramref name="start"/>.</summary>
    /// <param name="text">The whole text.</param>
    /// <param name="start">Where the value begins.</param>
    /// <param name="wasCut">Whether the text was cut off by a length limit: then nothing is added at its end.</param>
    public static LenientResult Read(string text, int start, bool wasCut)
    {
        var parser = new LenientJson(text, start, wasCut);
        using (parser._writer)
        {
            try
            {
                parser.Value();
                parser._writer.Flush();
            }
            catch (Broken broken)
            {
                return new LenientResult(null, broken.At, [], broken.Message, broken.IsEnd);
            }

            using var document = JsonDocument.Parse(parser._buffer.WrittenMemory, new JsonDocumentOptions { MaxDepth = MaxDepth + 10 });
            return new LenientResult(document.RootElement.Clone(), parser._at, [.. parser._repairs], null, false);
        }
    }

    private char Peek => _at < _text.Length ? _text[_at] : '\0';

    private void Value()
    {
        Skip();
        if (_at >= _text.Length) throw End("where a value was to come");
        switch (Peek)
        {
            case '{':
                Object();
                break;
            case '[':
                Array();
                break;
            case '"' or '\'' or '“' or '”':
                _writer.WriteStringValue(String());
                break;
            case '-' or '+' or '.' or (>= '0' and <= '9'):
                Number();
                break;
            default:
                Word();
                break;
        }
    }

    private void Object()
    {
        Enter('{');
        _writer.WriteStartObject();
        while (true)
        {
            if (Separator(first: '}')) break;
            var name = Name();
            Skip();
            if (_at >= _text.Length) throw End("after a name");
            if (Peek != ':') throw Wrong("expected ':' after a name");
            _at++;
            _writer.WritePropertyName(name);
            Value();
            if (Ends('}')) break;
        }

        _open.Pop();
        _writer.WriteEndObject();
    }

    private void Array()
    {
        Enter('[');
        _writer.WriteStartArray();
        while (true)
        {
            if (Separator(first: ']')) break;
            Value();
            if (Ends(']')) break;
        }

        _open.Pop();
        _writer.WriteEndArray();
    }

    private void Enter(char bracket)
    {
        if (_open.Count >= MaxDepth) throw Wrong("nested too deeply");
        _open.Push(bracket == '{' ? '}' : ']');
        _at++;
    }

    /// <summary>Before a member: true if the container ends here instead, right after its beginning or after a comma.</summary>
    private bool Separator(char first)
    {
        Skip();
        while (Peek == ',')
        {
            _at++;
            _repairs.Add("extra comma removed");
            Skip();
        }

        if (_at >= _text.Length) throw End("where another member was to come");
        if (Peek == first)
        {
            _at++;
            return true;
        }

        return false;
    }

    /// <summary>After a member: true if the container ends here.</summary>
    private bool Ends(char closer)
    {
        if (_ended) return true;
        Skip();
        if (_at >= _text.Length)
        {
            if (_wasCut) throw End("before all brackets were closed; it was cut off at its length limit");
            _repairs.Add("missing brackets added at the end");
            _ended = true;
            return true;
        }

        var next = Peek;
        if (next == closer)
        {
            _at++;
            return true;
        }

        if (next == ',')
        {
            _at++;
            Skip();
            if (_at >= _text.Length) throw End("after a comma");
            if (Peek != closer) return false;
            _at++;
            _repairs.Add("trailing comma removed");
            return true;
        }

        if (next is '}' or ']')
        {
            // A closer of something further out: this one was forgotten.
            if (!_open.Skip(1).Contains(next)) throw Wrong($"'{next}' closes nothing that is open");
            _repairs.Add("missing bracket added");
            return true;
        }

        // The next member without a comma before it: only where it cannot be part of the value before.
        if (next is '"' or '{' or '[' || (closer == '}' && IsNameStart(next) && IsNameAhead()))
        {
            _repairs.Add("missing comma added");
            return false;
        }

        throw Wrong($"expected ',' or '{closer}'");
    }

    /// <summary>Goes over blanks and comments.</summary>
    private void Skip()
    {
        while (_at < _text.Length)
        {
            var character = _text[_at];
            if (char.IsWhiteSpace(character) || character == '\uFEFF') _at++;
            else if (character == '#' || (character == '/' && _at + 1 < _text.Length && _text[_at + 1] == '/'))
            {
                _repairs.Add("comments removed");
                while (_at < _text.Length && _text[_at] != '\n') _at++;
            }
            else if (character == '/' && _at + 1 < _text.Length && _text[_at + 1] == '*')
            {
                _repairs.Add("comments removed");
                var end = _text.IndexOf("*/", _at + 2, StringComparison.Ordinal);
                if (end < 0) throw End("inside a comment");
                _at = end + 2;
            }
            else return;
        }
    }

    private static bool IsNameStart(char character) => char.IsAsciiLetter(character) || character is '_' or '$';

    private static bool IsNamePart(char character) => char.IsAsciiLetterOrDigit(character) || character is '_' or '$' or '-';

    private Broken Wrong(string what)
    {
        var line = 1 + _text.AsSpan(0, Math.Min(_at, _text.Length)).Count('\n');
        var begin = Math.Max(0, _at - 30);
        var near = _text[begin..Math.Min(_text.Length, _at + 30)].ReplaceLineEndings(" ");
        return new Broken(string.Create(CultureInfo.InvariantCulture, $"line {line}: {what}, near: {near}"), _at, isEnd: false);
    }

    private Broken End(string where) => new($"the text ends {where}", _text.Length, isEnd: true);

    private sealed class Broken(string message, int at, bool isEnd) : Exception(message)
    {
        public int At { get; } = at;

        public bool IsEnd { get; } = isEnd;
    }
}

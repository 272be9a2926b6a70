using System.Text;

namespace Lekhika.Workflows.Dialects;

/// <summary>
/// Builds a template out of literal text and expressions. Braces in literal text that would read as the start of an expression are written as
/// expressions themselves, so that what the author wrote literally stays literal.
/// </summary>
/// <param name="length">What the text is made from is about as long as this.</param>
internal sealed class TemplateText(int length = 0)
{
    private const string LiteralBrace = "{{ \"{\" }}";
    private readonly StringBuilder _text = new(length + 128);
    private bool _endsWithBrace;

    public TemplateText Literal(ReadOnlySpan<char> text)
    {
        if (text.Length == 0) return this;
        if (!text.Contains('{'))
        {
            _text.Append(text);
            _endsWithBrace = false;
            return this;
        }

        foreach (var character in text)
        {
            if (character == '{' && _endsWithBrace) EscapeLast();
            _text.Append(character);
            _endsWithBrace = character == '{';
        }

        return this;
    }

    public TemplateText Expression(string cel)
    {
        if (_endsWithBrace) EscapeLast();
        _text.Append("{{ ").Append(cel).Append(" }}");
        _endsWithBrace = false;
        return this;
    }

    public override string ToString() => _text.ToString();

    private void EscapeLast()
    {
        _text.Length--;
        _text.Append(LiteralBrace);
        _endsWithBrace = false;
    }
}

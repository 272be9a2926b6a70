using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Lekhika.Daemon.Nodes.Calls;

namespace Lekhika.Daemon.Nodes.Secrets;

/// <summary>Finds values in texts as servers repeat them: as they are, escaped for JSON, addresses, forms and HTML, in base64 and in hexadecimal.</summary>
internal sealed class SecretMask
{
    private const int ShortestPart = 8;
    private readonly List<string> _forms = [];
    private readonly List<byte[]> _bytes = [];

    public SecretMask(IEnumerable<string> values)
    {
        foreach (var value in values) AddForms(value);
        Sort();
    }

    /// <summary>Adds a text that is no secret by itself but holds one; left out if it is short.</summary>
    public void Add(string part)
    {
        if (part.Length < ShortestPart) return;
        AddForms(part);
        Sort();
    }

    public string Apply(string text)
    {
        foreach (var form in _forms) text = text.Replace(form, SensitiveNames.Mask, StringComparison.Ordinal);
        return text;
    }

    /// <summary>Overwrites what it finds, so that nothing else moves.</summary>
    public void Apply(Span<byte> bytes)
    {
        foreach (var form in _bytes)
        {
            for (var rest = bytes; rest.IndexOf(form) is var at and >= 0; rest = rest[(at + form.Length)..]) rest.Slice(at, form.Length).Fill((byte)'*');
        }
    }

    private void AddForms(string value)
    {
        var utf8 = Encoding.UTF8.GetBytes(value);
        var escaped = Uri.EscapeDataString(value);
        AddTexts(value);

        // Servers that take the bytes of a header for Latin-1 send them back as other letters.
        if (utf8.Length != value.Length) AddTexts(Encoding.Latin1.GetString(utf8));
        AddForm(escaped);
        AddForm(LowerEscapes(escaped));
        AddForm(WebUtility.UrlEncode(value));
        AddForm(WebUtility.HtmlEncode(value));
        AddForm(Convert.ToBase64String(utf8));
        AddForm(Convert.ToBase64String(utf8).TrimEnd('=').Replace('+', '-').Replace('/', '_'));
        AddForm(Convert.ToHexStringLower(utf8));
        AddForm(Convert.ToHexString(utf8));
        AddBytes(utf8);
        AddBytes(Encoding.Unicode.GetBytes(value));
    }

    /// <summary>The text, and the ways in which JSON is written by various libraries.</summary>
    private void AddTexts(string text)
    {
        AddForm(text);
        AddForm(JsonEncodedText.Encode(text).Value);
        AddForm(JsonEncodedText.Encode(text, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value);
        AddForm(AsciiJson(text));
        AddForm(AsciiJson(text).Replace("/", "\\/", StringComparison.Ordinal));
    }

    /// <summary>Nothing but quotes, backslashes, controls and what is not ASCII is escaped, in lower case.</summary>
    private static string AsciiJson(string text)
    {
        var json = new StringBuilder(text.Length + 8);
        foreach (var character in text)
        {
            if (character is '"' or '\\') json.Append('\\').Append(character);
            else if (char.IsAscii(character) && !char.IsControl(character)) json.Append(character);
            else json.Append("\\u").Append(((int)character).ToString("x4", CultureInfo.InvariantCulture));
        }

        return json.ToString();
    }

    private void AddForm(string form)
    {
        if (!_forms.Contains(form, StringComparer.Ordinal)) _forms.Add(form);
    }

    private void AddBytes(byte[] form) => _bytes.Add(form);

    /// <summary>Longer ones first: what holds another must not be left with its ends.</summary>
    private void Sort()
    {
        _forms.Sort(static (a, b) => b.Length.CompareTo(a.Length));
        _bytes.Sort(static (a, b) => b.Length.CompareTo(a.Length));
    }

    private static string LowerEscapes(string escaped) => string.Create(escaped.Length, escaped, static (target, source) =>
    {
        for (var i = 0; i < source.Length; i++)
        {
            var isEscape = (i >= 1 && source[i - 1] == '%') || (i >= 2 && source[i - 2] == '%');
            target[i] = isEscape ? char.ToLowerInvariant(source[i]) : source[i];
        }
    });
}

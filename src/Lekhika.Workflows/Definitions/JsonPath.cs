using System.Globalization;
using System.Text;

namespace Lekhika.Workflows.Definitions;

/// <summary>Places in a JSON document, written as <c>nodes[3].config.url</c>; keys that are no plain words are quoted: <c>nodes["a b"]</c>.</summary>
internal static class JsonPath
{
    public static string Index(string path, int index) => string.Create(CultureInfo.InvariantCulture, $"{path}[{index}]");

    public static string Key(string path, string key)
    {
        if (!IsWord(key)) return $"{path}[\"{Escape(key)}\"]";
        return path.Length == 0 ? key : $"{path}.{key}";
    }

    private static bool IsWord(string key)
    {
        if (key.Length == 0 || char.IsAsciiDigit(key[0])) return false;
        foreach (var character in key)
        {
            if (!char.IsAsciiLetterOrDigit(character) && character is not ('_' or '-')) return false;
        }

        return true;
    }

    private static string Escape(string key)
    {
        var text = new StringBuilder(key.Length + 4);
        foreach (var character in key.Length > 80 ? key[..80] : key)
        {
            if (character is '"' or '\\') text.Append('\\');
            text.Append(char.IsControl(character) ? ' ' : character);
        }

        return text.ToString();
    }
}

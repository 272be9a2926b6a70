using System.Collections.Immutable;
using System.Text;

namespace Lekhika.Daemon.Configuration;

// The configuration file's grammar, all of it:
//
//   file     = { line }
//   line     = [ blank ] [ section | entry ] [ comment ]
//   section  = "[" name "]"
//   entry    = key "=" [ value ]                      belongs to the section above it
//   key      = bare word | quoted                     quoted when it holds "=", "#" or blanks at its ends
//   value    = bare text | quoted                     bare text is trimmed
//   quoted   = '"' { character | \" | \\ | \n | \t } '"'
//   comment  = "#" to the end of the line             at its start, or after a blank; not inside quotes
//
// So "#" inside a bare value is part of it unless a blank stands before it: http://host/#top keeps its "#", and
// "10 # ten" is "10". A line never continues on the next. An empty value is as if the line were not there.

/// <summary>One <c>key = value</c> of a configuration file.</summary>
internal sealed record ConfigurationEntry(string Section, string Key, string Value, int Line);

/// <summary>A line of a configuration file that does not follow the grammar.</summary>
internal sealed record ConfigurationSyntaxError(int Line, string Message);

/// <summary>A configuration file as text, read into entries.</summary>
internal sealed record ConfigurationText(
    ImmutableArray<ConfigurationEntry> Entries, ImmutableArray<(string Name, int Line)> Sections, ImmutableArray<ConfigurationSyntaxError> Errors)
{
    public static ConfigurationText Parse(string text)
    {
        var entries = ImmutableArray.CreateBuilder<ConfigurationEntry>();
        var sections = ImmutableArray.CreateBuilder<(string, int)>();
        var errors = ImmutableArray.CreateBuilder<ConfigurationSyntaxError>();
        string? section = null;
        var number = 0;
        foreach (var raw in text.TrimStart('\uFEFF').EnumerateLines())
        {
            number++;
            var line = raw.Trim();
            if (line.IsEmpty || line[0] == '#')
            {
                continue;
            }

            if (line[0] == '[')
            {
                section = ReadSection(line, out var wrong);
                if (section is null)
                {
                    errors.Add(new(number, wrong));
                    section = ""; // the entries below are not blamed for it
                }
                else
                {
                    sections.Add((section, number));
                }
            }
            else if (!TryReadEntry(line, out var key, out var value, out var wrong))
            {
                errors.Add(new(number, wrong));
            }
            else if (section is null)
            {
                errors.Add(new(number, $"\"{key}\" stands before any section; write a line such as [worker] above it"));
            }
            else if (section.Length > 0)
            {
                entries.Add(new(section, key, value, number));
            }
        }

        return new(entries.ToImmutable(), sections.ToImmutable(), errors.ToImmutable());
    }

    /// <summary>Writes a key or value so that <see cref="Parse"/> reads it back as it was.</summary>
    public static string Quote(string text, bool isKey = false)
    {
        var plain = text.Length > 0
            && text.AsSpan().Trim().Length == text.Length
            && text[0] is not ('"' or '#')
            && !text.AsSpan().ContainsAny('\n', '\r', '\t')
            && !text.Contains(" #", StringComparison.Ordinal)
            && (!isKey || !(text[0] == '[' || text.AsSpan().ContainsAny('=', '#', '"') || text.Contains(':', StringComparison.Ordinal)));
        if (plain)
        {
            return text;
        }

        var escaped = new StringBuilder(text)
            .Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n").Replace("\t", "\\t").Replace("\r", "");
        return $"\"{escaped}\"";
    }

    private static string? ReadSection(ReadOnlySpan<char> line, out string wrong)
    {
        wrong = "";
        var close = line.IndexOf(']');
        if (close < 0)
        {
            wrong = "a section is missing its \"]\"; expected [name]";
            return null;
        }

        var name = line[1..close].Trim();
        if (name.IsEmpty)
        {
            wrong = "a section without a name; expected [name]";
            return null;
        }

        if (!IsBlankOrComment(line[(close + 1)..]))
        {
            wrong = $"text after [{name}]; a setting belongs on a line of its own";
            return null;
        }

        return name.ToString();
    }

    private static bool TryReadEntry(ReadOnlySpan<char> line, out string key, out string value, out string wrong)
    {
        key = value = "";
        ReadOnlySpan<char> rest;
        if (line[0] == '"')
        {
            if (!TryReadQuoted(line, out key, out rest, out wrong))
            {
                return false;
            }

            rest = rest.TrimStart();
            if (rest.IsEmpty || rest[0] != '=')
            {
                wrong = $"expected \"=\" after the key \"{key}\"";
                return false;
            }

            rest = rest[1..].TrimStart();
        }
        else
        {
            // The line is not repeated in the message: it may be a secret pasted into the wrong place.
            var equals = line.IndexOf('=');
            if (equals < 0)
            {
                wrong = "neither a [section], a \"key = value\" nor a # comment";
                return false;
            }

            key = line[..equals].TrimEnd().ToString();
            rest = line[(equals + 1)..].TrimStart();
        }

        if (key.Length == 0)
        {
            wrong = "a value without a key; expected key = value";
            return false;
        }

        if (!rest.IsEmpty && rest[0] == '"')
        {
            if (!TryReadQuoted(rest, out value, out rest, out wrong))
            {
                return false;
            }

            wrong = $"text after the closing quote of \"{key}\"; quote the whole value, and write \\\" for a quote inside it";
            return IsBlankOrComment(rest);
        }

        wrong = "";
        value = WithoutComment(rest).ToString();
        return true;
    }

    private static bool TryReadQuoted(ReadOnlySpan<char> text, out string value, out ReadOnlySpan<char> rest, out string wrong)
    {
        var unquoted = new StringBuilder();
        wrong = "";
        value = "";
        rest = default;
        for (var i = 1; i < text.Length; i++)
        {
            if (text[i] == '"')
            {
                value = unquoted.ToString();
                rest = text[(i + 1)..];
                return true;
            }

            if (text[i] != '\\')
            {
                unquoted.Append(text[i]);
                continue;
            }

            i++;
            char? character = i == text.Length ? null : text[i] switch { '"' => '"', '\\' => '\\', 'n' => '\n', 't' => '\t', _ => null };
            if (character is null)
            {
                wrong = "an unknown escape inside quotes; known are \\\" \\\\ \\n and \\t";
                return false;
            }

            unquoted.Append(character);
        }

        wrong = "a quote is not closed on its line";
        return false;
    }

    private static ReadOnlySpan<char> WithoutComment(ReadOnlySpan<char> text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '#' && (i == 0 || char.IsWhiteSpace(text[i - 1])))
            {
                return text[..i].TrimEnd();
            }
        }

        return text;
    }

    private static bool IsBlankOrComment(ReadOnlySpan<char> text) =>
        text.IsWhiteSpace() || (char.IsWhiteSpace(text[0]) && text.TrimStart()[0] == '#');
}

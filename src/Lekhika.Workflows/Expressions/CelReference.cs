using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Lekhika.Workflows.Expressions;

/// <summary>A free name that an expression uses, with the members that it takes of it, for validation.</summary>
/// <param name="Name">The name, such as <c>nodes</c>.</param>
/// <param name="Path">The members and elements known without evaluating: <c>nodes["a"].text</c> has <c>a</c> and <c>text</c>. Ends before the first computed one.</param>
/// <param name="Line">Line in the expression, from 1.</param>
/// <param name="Column">Column in UTF-16 code units, from 1.</param>
/// <param name="IsTested">Whether <c>has()</c> only asks if the last member is there.</param>
public sealed record CelReference(string Name, IReadOnlyList<CelPathSegment> Path, int Line, int Column, bool IsTested = false)
{
    /// <summary>The reference as it could be written: <c>nodes["my-node"].items[0]</c>.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(Name);
        foreach (var segment in Path)
        {
            if (segment.Member is not { } member)
                text.Append('[').Append(segment.Index.ToString(CultureInfo.InvariantCulture)).Append(']');
            else if (Identifiers.IsIdentifier(member))
                text.Append('.').Append(member);
            else
                text.Append("[\"").Append(JsonEncodedText.Encode(member, JsonText.Relaxed)).Append("\"]");
        }

        return text.ToString();
    }
}

/// <summary>One step of a <see cref="CelReference"/>: a member or an element.</summary>
/// <param name="Member">The member's name; null for an element.</param>
/// <param name="Index">The element's number, from 0; 0 for a member.</param>
public readonly record struct CelPathSegment(string? Member, long Index = 0);

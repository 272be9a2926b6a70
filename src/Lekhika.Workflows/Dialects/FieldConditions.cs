using System.Globalization;
using System.Text.Json;
using Lekhika.Workflows.Definitions;

namespace Lekhika.Workflows.Dialects;

/// <summary>Conditions drawn as <c>{field, operator, value}</c>, in CEL. Texts are compared without regard to case.</summary>
internal static class FieldConditions
{
    public static readonly string[] Operators =
        ["equals", "not_equals", "contains", "not_contains", "greater_than", "less_than", "exists", "not_exists"];

    /// <summary>What reads as a number, in RE2.</summary>
    private const string NumberPattern = "^[-+]?[0-9]+([.][0-9]+)?$";

    /// <summary>The condition in CEL, or null if the operator is not known.</summary>
    /// <param name="subject">CEL that gives the field's value; null where it is missing.</param>
    /// <param name="word">The operator.</param>
    /// <param name="value">What it is compared with.</param>
    public static string? Translate(string subject, string word, JsonElement value)
    {
        var text = CelText.Quote(LowerAscii(value.Scalar() ?? ""));
        return word.ToLowerInvariant() switch
        {
            "equals" or "equal" or "eq" or "==" or "===" or "is" => Text(subject, $"text == {text}"),
            "not_equals" or "not_equal" or "neq" or "ne" or "!=" or "!==" or "is_not" => "!" + Text(subject, $"text == {text}"),
            "contains" or "includes" => Text(subject, $"text.contains({text})"),
            "not_contains" or "excludes" => "!" + Text(subject, $"text.contains({text})"),
            "greater_than" or "gt" or ">" => Number(subject, ">", value),
            "less_than" or "lt" or "<" => Number(subject, "<", value),
            "greater_or_equal" or "gte" or ">=" => Number(subject, ">=", value),
            "less_or_equal" or "lte" or "<=" => Number(subject, "<=", value),
            "exists" or "is_set" or "not_empty" => $"!([null, \"\"].exists(nothing, nothing == {subject}))",
            "not_exists" or "is_empty" or "empty" => $"[null, \"\"].exists(nothing, nothing == {subject})",
            _ => null,
        };
    }

    /// <summary>A test of the value as text in small letters; false where it is missing. Lists and objects are their JSON.</summary>
    private static string Text(string subject, string test) =>
        $"[{subject}].exists(value, value != null && [\"%s\".format([value]).lowerAscii()].exists(text, {test}))";

    /// <summary>A comparison of numbers; false where the value is none.</summary>
    private static string? Number(string subject, string sign, JsonElement value) =>
        double.TryParse(value.Scalar(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"[\"%s\".format([{subject}]).replace(\",\", \"\").trim()].exists(text, text.matches({CelText.Quote(NumberPattern)}) && double(text) {sign} {number:0.0###############})")
            : null;

    /// <summary>As lowerAscii() of CEL has it, so that both sides are treated alike.</summary>
    private static string LowerAscii(string text) => string.Concat(text.Select(static character => char.IsAsciiLetterUpper(character) ? char.ToLowerInvariant(character) : character));
}

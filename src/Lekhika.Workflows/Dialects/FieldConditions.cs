using System.Globalization;
using System.Text.Json;
using Lekhika.Workflows.Definitions;

namespace Lekhika.Workflows.Dialects;

/// <summary>Conditions drawn as <c>{field, operator, value}</c>, in CEL. Texts are compared without regard to case.</summary>
internal static class FieldConditions
{
    public static readonly string[] Operators =
        ["equals", "not_equals", "contains", "not_contains", "greater_than", "less_than", "exists", "not_exists"];

    /// <summary>The condition in CEL, or null if the operator is not known.</summary>
    /// <param name="subject">CEL that gives the field's value; null where it is missing.</param>
    /// <param name="word">The operator.</param>
    /// <param name="value">What it is compared with.</param>
    public static string? Translate(string subject, string word, JsonElement value)
    {
        var text = CelText.Quote((value.Scalar() ?? "").ToLowerInvariant());
        var lowered = $"string({subject}).lowerAscii()";
        return word.ToLowerInvariant() switch
        {
            "equals" or "equal" or "eq" or "==" or "===" or "is" => $"({subject} != null && {lowered} == {text})",
            "not_equals" or "not_equal" or "neq" or "ne" or "!=" or "!==" or "is_not" => $"({subject} == null || {lowered} != {text})",
            "contains" or "includes" => $"({subject} != null && {lowered}.contains({text}))",
            "not_contains" or "excludes" => $"({subject} == null || !{lowered}.contains({text}))",
            "greater_than" or "gt" or ">" => Number(subject, ">", value),
            "less_than" or "lt" or "<" => Number(subject, "<", value),
            "greater_or_equal" or "gte" or ">=" => Number(subject, ">=", value),
            "less_or_equal" or "lte" or "<=" => Number(subject, "<=", value),
            "exists" or "is_set" or "not_empty" => $"({subject} != null && string({subject}) != \"\")",
            "not_exists" or "is_empty" or "empty" => $"({subject} == null || string({subject}) == \"\")",
            _ => null,
        };
    }

    private static string? Number(string subject, string sign, JsonElement value) =>
        double.TryParse(value.Scalar(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? string.Create(CultureInfo.InvariantCulture, $"({subject} != null && double({subject}) {sign} {number:0.0###############})")
            : null;
}

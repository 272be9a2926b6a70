using System.Text.Json;
using Lekhika.Workflows.Expressions;

namespace Lekhika.Workflows.Tests.Expressions;

/// <summary>Short ways to evaluate in tests.</summary>
internal static class Cel
{
    public static CelValue Eval(string text, ICelBindings? bindings = null, CelLimits? limits = null) =>
        CelExpression.Compile(text).Evaluate(bindings ?? CelBindings.Empty, limits);

    public static string Json(string text, ICelBindings? bindings = null) => Eval(text, bindings).ToJson().GetRawText();

    public static JsonElement Parse(string json) => JsonElement.Parse(json);

    /// <summary>Bindings to the members of a JSON object.</summary>
    public static CelBindings Bind(string json)
    {
        var bindings = new CelBindings();
        foreach (var property in Parse(json).EnumerateObject())
            bindings.Add(property.Name, CelValue.FromJson(property.Value));
        return bindings;
    }
}

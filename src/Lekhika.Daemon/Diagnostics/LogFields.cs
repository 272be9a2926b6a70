using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Lekhika.Daemon.Diagnostics;

/// <summary>The named values of an event that its message does not show already: those of its scopes, and those its template does not name.</summary>
internal static class LogFields
{
    // What ASP.NET puts around every request; it would be on every line and help nobody.
    private static readonly HashSet<string> Noise =
        new(StringComparer.Ordinal) { "SpanId", "TraceId", "ParentId", "ConnectionId", "RequestId", "RequestPath", "TransportConnectionId", "{OriginalFormat}" };

    public static List<(string Name, string Value)> Collect<TState>(TState state, IExternalScopeProvider scopes)
    {
        var fields = new List<(string Name, string Value)>();
        var template = "";
        if (state is IReadOnlyList<KeyValuePair<string, object?>> values)
        {
            // The template is the last value by convention.
            template = values.Count > 0 && values[^1] is { Key: "{OriginalFormat}", Value: string text } ? text : "";
            Add(fields, values, template);
        }

        scopes.ForEachScope(
            static (scope, target) =>
            {
                if (scope is IEnumerable<KeyValuePair<string, object?>> values)
                {
                    Add(target.fields, values, target.template);
                }
            },
            (fields, template));
        return fields;
    }

    private static void Add(List<(string Name, string Value)> fields, IEnumerable<KeyValuePair<string, object?>> values, string template)
    {
        foreach (var (name, value) in values)
        {
            if (value is null || Noise.Contains(name) || IsIn(template, name))
            {
                continue;
            }

            // An inner scope overrides an outer one; the inner comes last.
            fields.RemoveAll(field => field.Name == name);
            fields.Add((name, Convert.ToString(value, CultureInfo.InvariantCulture) ?? ""));
        }
    }

    private static bool IsIn(string template, string name)
    {
        for (var at = template.IndexOf(name, StringComparison.Ordinal); at > 0; at = template.IndexOf(name, at + 1, StringComparison.Ordinal))
        {
            if (template[at - 1] is '{' or '@' or '$' && at + name.Length < template.Length && template[at + name.Length] is '}' or ':' or ',')
            {
                return true;
            }
        }

        return false;
    }
}

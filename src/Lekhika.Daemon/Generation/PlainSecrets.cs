using System.Text.Json;
using System.Text.RegularExpressions;
using Lekhika.Daemon.Nodes.Calls;
using Lekhika.Workflows.Validation;

namespace Lekhika.Daemon.Generation;

/// <summary>
/// Finds credentials written into a workflow: values of fields whose names say so, and texts that only a credential looks like. Templates and
/// placeholders are none.
/// </summary>
internal static partial class PlainSecrets
{
    /// <summary>Adds an error for each, and gives their texts so that they can be kept out of what is recorded.</summary>
    public static IReadOnlyList<string> Find(JsonElement document, List<Problem> problems)
    {
        var found = new List<string>();
        if (document.ValueKind == JsonValueKind.Object && document.TryGetProperty("nodes", out var nodes) && nodes.ValueKind == JsonValueKind.Array)
        {
            var index = 0;
            foreach (var node in nodes.EnumerateArray())
            {
                Walk(node, $"nodes[{index++}]", name: "", problems, found);
            }
        }

        return found;
    }

    /// <summary>Takes credentials out of a text that is to be kept.</summary>
    public static string Redact(string text, IReadOnlyList<string> secrets)
    {
        foreach (var secret in secrets.OrderByDescending(static secret => secret.Length))
        {
            text = text.Replace(secret, SensitiveNames.Mask, StringComparison.Ordinal);
            var escaped = JsonEncodedText.Encode(secret).Value;
            if (escaped != secret) text = text.Replace(escaped, SensitiveNames.Mask, StringComparison.Ordinal);
        }

        return Shapes().Replace(text, SensitiveNames.Mask);
    }

    private static void Walk(JsonElement value, string path, string name, List<Problem> problems, List<string> found)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in value.EnumerateObject()) Walk(property.Value, $"{path}.{property.Name}", property.Name, problems, found);
                break;
            case JsonValueKind.Array:
                var index = 0;
                foreach (var item in value.EnumerateArray()) Walk(item, $"{path}[{index++}]", name, problems, found);
                break;
            case JsonValueKind.String when value.GetString() is { } text && IsSecret(name, text):
                found.Add(text);
                problems.Add(new Problem(
                    Severity.Error, "secret_in_plain_text", path,
                    $"'{(name.Length > 0 ? name : path)}' holds what looks like a credential. Never write one into a workflow; take it from an input, such as {{{{ inputs.api_key }}}}"));
                break;
            default:
                break;
        }
    }

    private static bool IsSecret(string name, string text)
    {
        if (Shapes().IsMatch(text)) return true;
        if (!IsSecretName(name) || text.Length < 8 || text.Contains("{{", StringComparison.Ordinal) || text.Any(char.IsWhiteSpace)) return false;
        return !Placeholder().IsMatch(text);
    }

    /// <summary>Names of credentials; not those that only count or name them, such as max_tokens.</summary>
    private static bool IsSecretName(string name)
    {
        var plain = name.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal);
        return SecretName().IsMatch(plain);
    }

    [GeneratedRegex(
        "(apikey|apisecret|accesstoken|authtoken|bearertoken|refreshtoken|bottoken|secretkey|secretaccesskey|accesskey|privatekey|clientsecret|password|passwd|passphrase|authorization|connectionstring)$|^(token|secret|pwd|auth)$",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex SecretName();

    [GeneratedRegex(
        @"\b(sk-[A-Za-z0-9_\-]{16,}|sk_live_[A-Za-z0-9]{16,}|rk_live_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}|glpat-[A-Za-z0-9_\-]{16,}|xox[abprs]-[A-Za-z0-9\-]{10,}|AKIA[A-Z0-9]{16}|AIza[A-Za-z0-9_\-]{30,}|ya29\.[A-Za-z0-9_\-]{20,}|SG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}|eyJ[A-Za-z0-9_\-]{10,}\.eyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{10,})|hooks\.slack\.com/services/T[A-Za-z0-9]+/B[A-Za-z0-9]+/[A-Za-z0-9]{16,}|discord(app)?\.com/api/webhooks/[0-9]{10,}/[A-Za-z0-9_\-]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY-----|://[^/\s:@{}]+:[^/\s:@{}]{6,}@",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Shapes();

    [GeneratedRegex(@"^[<\[$%].*|your|example|placeholder|change.?me|xxx|\.\.\.|\*\*\*|env\.|secrets?\.|insert|redacted|dummy|sample", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Placeholder();
}

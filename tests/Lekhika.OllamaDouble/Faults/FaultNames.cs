using System.Globalization;
using System.Text;

namespace Lekhika.Doubles;

/// <summary>The written names of faults: kebab case, or a status such as 503.</summary>
internal static class FaultNames
{
    private static readonly Dictionary<string, FaultKind> Kinds =
        Enum.GetValues<FaultKind>().ToDictionary(Kebab, kind => kind, StringComparer.Ordinal);

    public static IEnumerable<string> All => Kinds.Keys.Where(name => name != "none");

    public static bool TryParse(string name, DoubleFault template, out DoubleFault fault)
    {
        fault = template;
        if (Kinds.TryGetValue(name, out var kind) && kind != FaultKind.None)
        {
            fault = template with { Kind = kind };
            return true;
        }
        var digits = name.StartsWith("status-", StringComparison.Ordinal) ? name["status-".Length..] : name;
        if (digits.Length != 3 || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var status) || status < 200)
            return false;
        fault = template with { Kind = status == 503 && template.Message is null ? FaultKind.Busy : FaultKind.Status, Status = status };
        return true;
    }

    public static string Kebab(FaultKind kind)
    {
        var text = new StringBuilder();
        foreach (var letter in kind.ToString())
        {
            if (char.IsAsciiLetterUpper(letter) && text.Length > 0)
                text.Append('-');
            text.Append(char.ToLowerInvariant(letter));
        }
        return text.ToString();
    }
}

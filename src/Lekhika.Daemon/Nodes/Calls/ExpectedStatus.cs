using System.Globalization;
using System.Text.Json;

namespace Lekhika.Daemon.Nodes.Calls;

/// <summary>Statuses that count as success: a number, text such as <c>"2xx"</c> or <c>"200-299"</c>, or a list of those. Default 2xx.</summary>
internal sealed class ExpectedStatus
{
    private readonly List<(int From, int To)> _ranges = [];

    private ExpectedStatus(string text) => Text = text;

    /// <summary>As the author wrote it.</summary>
    public string Text { get; }

    public bool Contains(int status) => _ranges.Exists(range => status >= range.From && status <= range.To);

    /// <summary>Whether the status is expected, and a redirect.</summary>
    public bool IsExpectedRedirect(int status) => status is >= 300 and < 400 && Contains(status);

    /// <summary>Reads the field; null if it cannot be read.</summary>
    public static ExpectedStatus? Read(JsonElement? written)
    {
        if (written is not { } value) return Read([], "2xx");
        return value.ValueKind == JsonValueKind.Array
            ? Read([.. value.EnumerateArray().Select(NodeConfig.TextOf)], value.GetRawText())
            : Read(NodeConfig.TextOf(value).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries), NodeConfig.TextOf(value));
    }

    private static ExpectedStatus? Read(string[] parts, string text)
    {
        var expected = new ExpectedStatus(text);
        if (parts.Length == 0) parts = ["2xx"];
        foreach (var part in parts)
        {
            if (part.Length == 3 && part.EndsWith("xx", StringComparison.OrdinalIgnoreCase) && part[0] is >= '1' and <= '5')
            {
                var hundred = (part[0] - '0') * 100;
                expected._ranges.Add((hundred, hundred + 99));
                continue;
            }

            var ends = part.Split('-', 2, StringSplitOptions.TrimEntries);
            if (!TryCode(ends[0], out var from) || !TryCode(ends[^1], out var to)) return null;
            expected._ranges.Add((from, to));
        }

        return expected;
    }

    private static bool TryCode(string text, out int code) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out code) && code is >= 100 and <= 599;
}

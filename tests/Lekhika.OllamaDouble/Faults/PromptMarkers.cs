using System.Globalization;
using System.Text;

namespace Lekhika.Doubles;

/// <summary>
/// What a prompt may say to the double: <c>[[double:reply:TEXT]]</c>, <c>[[double:reply64:BASE64]]</c> (for text with <c>]]</c> in it),
/// <c>[[double:fault:KIND times=2 key=a after=3 delay=500 status=429 message=…]]</c>, <c>[[double:tokens:200]]</c>, <c>[[double:speed:50]]</c>.
/// The message takes the rest of the marker.
/// </summary>
internal static class PromptMarkers
{
    private const string Start = "[[double:";

    public static ScriptRule? Read(string prompt)
    {
        ScriptRule? rule = null;
        for (var at = prompt.IndexOf(Start, StringComparison.Ordinal); at >= 0; at = prompt.IndexOf(Start, at + 1, StringComparison.Ordinal))
        {
            var end = prompt.IndexOf("]]", at, StringComparison.Ordinal);
            if (end < 0)
                break;
            // A reply that ends in brackets of its own keeps them: the marker ends at the last two of a run.
            while (end + 2 < prompt.Length && prompt[end + 2] == ']')
                end++;
            var marker = prompt[(at + Start.Length)..end];
            var colon = marker.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0)
                continue;
            rule = With(rule ?? new ScriptRule(), marker[..colon], marker[(colon + 1)..]);
        }
        return rule;
    }

    /// <exception cref="ApiException">The fault is not known.</exception>
    public static DoubleFault ReadFault(string text)
    {
        var fault = new DoubleFault();
        var message = text.IndexOf(" message=", StringComparison.Ordinal);
        if (message >= 0)
        {
            fault = fault with { Message = text[(message + " message=".Length)..] };
            text = text[..message];
        }
        var parts = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        foreach (var part in parts.Skip(1))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0)
                continue;
            var value = part[(equals + 1)..];
            fault = part[..equals] switch
            {
                "key" => fault with { Key = value },
                "times" => fault with { Times = Number(value) },
                "after" => fault with { After = Number(value) },
                "delay" => fault with { Delay = TimeSpan.FromMilliseconds(Number(value)) },
                "status" => fault with { Status = Number(value) },
                "bytes" => fault with { Bytes = Number(value) },
                var unknown => throw new ApiException(400, $"ollama-double: unknown fault parameter '{unknown}'"),
            };
        }
        if (parts.Length == 0 || !FaultNames.TryParse(parts[0], fault, out var known))
            throw new ApiException(400, $"ollama-double: unknown fault '{text}'; known are {string.Join(", ", FaultNames.All)} and a status");
        return known;
    }

    private static ScriptRule With(ScriptRule rule, string name, string value) => name switch
    {
        "reply" => rule with { Reply = value },
        "reply64" => rule with { Reply = Encoding.UTF8.GetString(Convert.FromBase64String(value)) },
        "thinking" => rule with { Thinking = value },
        "tokens" => rule with { Tokens = Number(value) },
        "speed" => rule with { Speed = Number(value) },
        "fault" => rule with { Fault = ReadFault(value) },
        _ => throw new ApiException(400, $"ollama-double: unknown marker '{name}'; known are reply, reply64, thinking, tokens, speed, fault"),
    };

    private static int Number(string value) =>
        int.TryParse(value, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new ApiException(400, $"ollama-double: '{value}' is not a whole number");
}

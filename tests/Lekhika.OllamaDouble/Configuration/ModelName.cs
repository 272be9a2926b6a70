using System.Globalization;
using System.Text.RegularExpressions;

namespace Lekhika.Doubles;

/// <summary>Model names: what is well formed, and the names that carry a behaviour.</summary>
internal static partial class ModelName
{
    public static string WithTag(string name)
    {
        var slash = name.LastIndexOf('/');
        return name.IndexOf(':', slash + 1) >= 0 ? name : name + ":latest";
    }

    public static bool IsWellFormed(string name) => WellFormed().IsMatch(name);

    public static bool IsCloud(string name) =>
        name.EndsWith("-cloud", StringComparison.Ordinal) || name.EndsWith(":cloud", StringComparison.Ordinal);

    /// <summary>
    /// Reads <c>fault-KIND</c> and <c>double-…</c> with their parameters: <c>-t</c> tokens of the reply, <c>-s</c> tokens a second,
    /// <c>-a</c> tokens before the fault, <c>-n</c> times the fault happens, <c>-d</c> delay in ms, <c>-l</c> load time in ms.
    /// </summary>
    /// <returns>The model the name describes, or nothing when it is an ordinary name.</returns>
    public static DoubleModel? Describe(string name)
    {
        var bare = WithTag(name);
        bare = bare[..bare.LastIndexOf(':')].ToLowerInvariant();
        var isFault = bare.StartsWith("fault-", StringComparison.Ordinal);
        if (!isFault && !bare.StartsWith("double-", StringComparison.Ordinal))
            return null;
        var model = new DoubleModel { Name = WithTag(name), Capabilities = ["completion", "tools", "thinking", "insert"] };
        DoubleFault? fault = isFault ? new DoubleFault() : null;
        var words = new List<string>();
        foreach (var part in bare.Split('-').Skip(1))
        {
            var number = Parameter().Match(part);
            if (!number.Success)
            {
                words.Add(part);
                continue;
            }
            var value = int.Parse(number.Groups[2].ValueSpan, CultureInfo.InvariantCulture);
            switch (number.Groups[1].Value)
            {
                case "t": model = model with { ReplyTokens = value }; break;
                case "s": model = model with { TokensPerSecond = value }; break;
                case "l": model = model with { LoadTime = TimeSpan.FromMilliseconds(value) }; break;
                case "a": fault = fault is null ? null : fault with { After = value }; break;
                case "n": fault = fault is null ? null : fault with { Times = value }; break;
                default: fault = fault is null ? null : fault with { Delay = TimeSpan.FromMilliseconds(value) }; break;
            }
        }
        if (fault is null)
            return model;
        if (!FaultNames.TryParse(string.Join('-', words), fault, out var known))
            return null;
        return known.Kind == FaultKind.SlowLoad && model.LoadTime is null
            ? model with { LoadTime = known.Delay ?? TimeSpan.FromSeconds(2) }
            : model with { Fault = known };
    }

    [GeneratedRegex(@"^([A-Za-z0-9._-]+(:[0-9]+)?/)?([A-Za-z0-9._-]+/)?[A-Za-z0-9][A-Za-z0-9._-]*(:[A-Za-z0-9._-]+)?$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex WellFormed();

#pragma warning disable MA0023 // The groups are read by number.
    [GeneratedRegex("^([tsland])([0-9]+)$", RegexOptions.None, 1000)]
    private static partial Regex Parameter();
#pragma warning restore MA0023
}

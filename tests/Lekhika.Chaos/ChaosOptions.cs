using System.Globalization;

namespace Lekhika.Chaos;

/// <summary>What a campaign is told on the command line.</summary>
internal sealed record ChaosOptions
{
    public const string Usage = """
        scripts/chaos [--minutes N | --crash-points] [--seed S] [--daemons K] [--no-crash-points] [--verbose]

          --minutes N   how long faults are injected (default 10; the time to settle comes on top); a quarter of it goes to crash points
          --crash-points
                        kills a daemon at every message that it sends to the database in a fixed scenario, once before the message is passed on and
                        once before its answer is, and nothing else (about twenty minutes)
          --no-crash-points
                        leaves them out
          --seed S      repeats the order of faults of an earlier campaign (the seed is printed)
          --daemons K   how many daemons share the database (default 3)
          --verbose     says each fault as it happens and keeps the logs of the daemons

        Ends with exit code 0 only if no invariant was broken and every fault struck at least as often as it must.
        """;

    /// <summary>How long faults are injected.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Of the order of faults and of the workload.</summary>
    public int Seed { get; init; } = Random.Shared.Next(1, 1_000_000);

    public int Daemons { get; init; } = 3;

    public bool Verbose { get; init; }

    /// <summary>Whether the crash points are enumerated, all of them, and nothing else happens.</summary>
    public bool CrashPoints { get; init; }

    /// <summary>How long crash points are tried before the other faults; null for a quarter of the whole.</summary>
    public TimeSpan? CrashPointShare { get; init; }

    public static ChaosOptions? Parse(string[] arguments, TextWriter problems)
    {
        var options = new ChaosOptions();
        for (var i = 0; i < arguments.Length; i++)
        {
            var value = i + 1 < arguments.Length ? arguments[i + 1] : "";
            switch (arguments[i])
            {
                case "--minutes" when double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var minutes) && minutes is > 0 and <= 1440:
                    options = options with { Duration = TimeSpan.FromMinutes(minutes) };
                    i++;
                    break;
                case "--seed" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seed):
                    options = options with { Seed = seed };
                    i++;
                    break;
                case "--daemons" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var daemons) && daemons is >= 2 and <= 20:
                    options = options with { Daemons = daemons };
                    i++;
                    break;
                case "--crash-points":
                    options = options with { CrashPoints = true };
                    break;
                case "--no-crash-points":
                    options = options with { CrashPointShare = TimeSpan.Zero };
                    break;
                case "--verbose":
                    options = options with { Verbose = true };
                    break;
                default:
                    problems.WriteLine($"chaos: cannot make sense of {arguments[i]} {value}".TrimEnd());
                    problems.WriteLine(Usage);
                    return null;
            }
        }

        return options;
    }
}

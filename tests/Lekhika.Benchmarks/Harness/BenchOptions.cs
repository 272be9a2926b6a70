using System.Globalization;

namespace Lekhika.Benchmarks.Harness;

/// <summary>What the command line says.</summary>
internal sealed record BenchOptions
{
    public const string Usage = """
        Usage: scripts/bench [CASE...] [--json] [--runs N] [--quick] [--no-docs]

          CASE       of: drain two-step latency snapshot producers clutter wal status events start history size lanes; none runs all of them
          --json     a line of JSON for each case and peer instead of tables
          --runs N   runs of each side, alternating (default 5)
          --quick    a tenth of the work: to see that it runs, not to measure
          --no-docs  leave docs/benchmarks.md as it is (as do fewer than five runs); else the cases that ran are written anew there
        """;

    public IReadOnlyList<string> Cases { get; private init; } = [];

    public bool Json { get; private init; }

    public bool Quick { get; private init; }

    public bool WritesDocs { get; private init; } = true;

    public int Runs { get; private init; } = 5;

    /// <exception cref="FormatException">Something is not understood; the message says what.</exception>
    public static BenchOptions Read(string[] arguments, IReadOnlyCollection<string> known)
    {
        var (cases, options) = (new List<string>(), new BenchOptions());
        for (var i = 0; i < arguments.Length; i++)
        {
            options = arguments[i] switch
            {
                "--json" => options with { Json = true },
                "--quick" => options with { Quick = true, WritesDocs = false },
                "--no-docs" => options with { WritesDocs = false },
                "--runs" => options with { Runs = Count(++i < arguments.Length ? arguments[i] : "") },
                _ when arguments[i].StartsWith('-') => throw new FormatException($"unknown option {arguments[i]}"),
                _ when known.Contains(arguments[i]) => Add(options, cases, arguments[i]),
                _ => throw new FormatException($"unknown case '{arguments[i]}'; the cases are {string.Join(", ", known)}"),
            };
        }

        return options with { Cases = cases, WritesDocs = options.WritesDocs && options.Runs >= 5 };
    }

    /// <summary>An amount of work, less of it if it is only to be seen to run.</summary>
    public int Scale(int amount, int least = 1) => Quick ? Math.Max(least, amount / 10) : amount;

    private static BenchOptions Add(BenchOptions options, List<string> cases, string name)
    {
        cases.Add(name);
        return options;
    }

    private static int Count(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= 100
            ? number
            : throw new FormatException($"--runs needs a number from 1 to 100, not '{text}'");
}

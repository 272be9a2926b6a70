using System.Diagnostics;

namespace Lekhika.Benchmarks.Harness;

/// <summary>Programs that run to their end.</summary>
internal static class Shell
{
    public static TimeProvider Time => TimeProvider.System;

    /// <summary>Ends what is waited for, and the programs that run; set once, at the start.</summary>
    public static CancellationToken Stopping { get; set; }

    /// <summary>Runs a program; its standard output. The environment holds nothing of ours but what is given.</summary>
    /// <param name="isCleaning">Whether it goes on when everything else is told to stop.</param>
    /// <exception cref="InvalidOperationException">It ended with an error; the message holds what it said.</exception>
    /// <exception cref="OperationCanceledException">It was ended, because everything is.</exception>
    public static async Task<string> RunAsync(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? folder = null, string? input = null,
        bool isCleaning = false)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = folder ?? Path.GetTempPath(),
        };
        Clean(start);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        if (input is not null) await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await process.WaitForExitAsync(isCleaning ? CancellationToken.None : Stopping);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return process.ExitCode == 0
            ? await output
            : throw new InvalidOperationException($"{program} {string.Join(' ', start.ArgumentList)} ended with {process.ExitCode}: {await error}\n{await output}");
    }

    /// <summary>Takes settings of a daemon out of an environment.</summary>
    public static void Clean(ProcessStartInfo start)
    {
        foreach (var name in start.Environment.Keys.Where(static name =>
                     name.StartsWith("LEKHIKA_", StringComparison.Ordinal) || name.StartsWith("OLLAMA_", StringComparison.Ordinal)
                     || name is "DATABASE_URL" or "WORKER_ID" or "PORT" or "INTERNAL_API_SECRET").ToList())
        {
            start.Environment.Remove(name);
        }
    }

    /// <summary>Waits until something holds, looking often.</summary>
    public static async Task UntilAsync(Func<Task<bool>> holds, double seconds = 120, double everyMilliseconds = 10, string what = "what was waited for")
    {
        for (var began = Time.GetTimestamp(); !await holds();)
        {
            if (Time.GetElapsedTime(began).TotalSeconds > seconds) throw new TimeoutException($"{what} did not come within {seconds} s");
            await Task.Delay(TimeSpan.FromMilliseconds(everyMilliseconds), Time, Stopping);
        }
    }

    public static Task PauseAsync(double seconds) => Task.Delay(TimeSpan.FromSeconds(seconds), Time, Stopping);
}

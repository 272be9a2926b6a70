using System.Collections.Immutable;

namespace Lekhika.Daemon.Cli;

/// <summary>What <c>migrate</c> is asked to do.</summary>
internal enum MigrateMode
{
    /// <summary>Bring the schema up to date.</summary>
    Apply,

    /// <summary>Print what would be applied, and change nothing.</summary>
    DryRun,

    /// <summary>Print which migrations are applied and which are not.</summary>
    Status,
}

/// <summary>What <c>try</c> is asked to do.</summary>
/// <param name="File">The workflow file, as given; <c>-</c> is standard input.</param>
/// <param name="Inputs">Input names and values, in the order given; a later one of the same name wins.</param>
internal sealed record TryArguments(string File, ImmutableArray<KeyValuePair<string, string>> Inputs);

/// <summary>What <c>generate</c> is asked to do.</summary>
/// <param name="Prompt">What the workflow is to do; <c>-</c> is standard input.</param>
/// <param name="Out">Where the workflow goes; null is standard output.</param>
/// <param name="Edit">A workflow file to change; null makes a new one.</param>
internal sealed record GenerateArguments(string Prompt, string? Out, string? Edit);

/// <summary>The work behind the commands. Each returns the exit code (<see cref="Hosting.ExitCodes"/>).</summary>
internal sealed record CommandHandlers
{
    /// <summary><c>run</c>. It registers its own signals (<see cref="Hosting.ProcessSignals"/>); the token is only cancelled by tests.</summary>
    public required Func<LoadedConfiguration, CancellationToken, Task<int>> Run { get; init; }

    /// <summary><c>migrate</c>. The token is cancelled by SIGTERM and SIGINT.</summary>
    public required Func<LoadedConfiguration, MigrateMode, CancellationToken, Task<int>> Migrate { get; init; }

    /// <summary><c>try</c>. The token is cancelled by SIGTERM and SIGINT.</summary>
    public required Func<LoadedConfiguration, TryArguments, CancellationToken, Task<int>> Try { get; init; }

    /// <summary><c>generate</c>. The token is cancelled by SIGTERM and SIGINT.</summary>
    public Func<LoadedConfiguration, GenerateArguments, CancellationToken, Task<int>> Generate { get; init; } = static (_, _, _) => Task.FromResult(Hosting.ExitCodes.Failure);
}

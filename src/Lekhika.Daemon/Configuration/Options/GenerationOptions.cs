namespace Lekhika.Daemon.Configuration;

/// <summary>The generation of workflows from prompts.</summary>
internal sealed record GenerationOptions
{
    /// <summary>Whether jobs are taken; false fails them.</summary>
    public required bool Enabled { get; init; }

    /// <summary>Model of the first phase; a job may name another.</summary>
    public required string AnalyzeModel { get; init; }

    /// <summary>Model that writes the workflow; a job may name another.</summary>
    public required string GenerateModel { get; init; }

    /// <summary>Absolute path of a catalogue that takes the place of the built-in one; null for none.</summary>
    public required string? Catalogue { get; init; }

    /// <summary>How often the model is asked again when a job does not say; 0 to 20.</summary>
    public required int MaxRetries { get; init; }

    /// <summary>Context window in tokens for both phases.</summary>
    public required int ContextTokens { get; init; }

    /// <summary>Most tokens of one draft.</summary>
    public required int MaxTokens { get; init; }
}

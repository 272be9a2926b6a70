using System.Collections.Immutable;

namespace Lekhika.Inference;

/// <summary>What an endpoint answered when it was asked just now.</summary>
public sealed record EndpointHealth
{
    /// <summary>Its name in the options.</summary>
    public required string Name { get; init; }

    /// <summary>Its address, without credentials.</summary>
    public required string Address { get; init; }

    /// <summary>It answered.</summary>
    public required bool Reachable { get; init; }

    /// <summary>Its version; empty if it tells none.</summary>
    public string Version { get; init; } = "";

    /// <summary>The models it has.</summary>
    public ImmutableArray<ModelInfo> Models { get; init; } = [];

    /// <summary>The models it has in memory; empty for servers that do not say.</summary>
    public ImmutableArray<ModelInfo> Loaded { get; init; } = [];

    /// <summary>Why it is not reachable, for people; null if it is.</summary>
    public string? Problem { get; init; }
}

/// <summary>A model an endpoint has.</summary>
/// <param name="Name">Its name as the endpoint lists it, tag included.</param>
/// <param name="Size">Bytes on disk, or in memory for a loaded one; 0 if not told.</param>
/// <param name="Digest">What identifies its content; empty if not told.</param>
/// <param name="ContextTokens">Context window a loaded one has, in tokens; 0 if not told.</param>
public sealed record ModelInfo(string Name, long Size = 0, string Digest = "", int ContextTokens = 0);

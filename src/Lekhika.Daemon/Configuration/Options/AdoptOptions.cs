namespace Lekhika.Daemon.Configuration;

/// <summary>What is done for the earlier platforms.</summary>
/// <param name="Lekhika">Whether the keys of the Lekhika platform's accounts are checked.</param>
/// <param name="LekhikaSchema">Schema of that platform's tables.</param>
/// <param name="AllowApiKeyControl">Whether a key lets its user stop and resume without the internal secret.</param>
internal sealed record AdoptOptions(bool Lekhika, string LekhikaSchema, bool AllowApiKeyControl);

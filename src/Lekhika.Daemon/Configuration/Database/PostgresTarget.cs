using System.Collections.Immutable;
using Npgsql;

namespace Lekhika.Daemon.Configuration;

/// <summary>What <c>database.url</c> says, in Npgsql's terms.</summary>
/// <param name="Builder">Only what the text names; not to be changed.</param>
/// <param name="Warnings">Parameters that mean something to other clients only.</param>
/// <param name="IsPooler">Whether the text says that a transaction pooler stands in front, so that LISTEN is of no use.</param>
internal sealed record PostgresTarget(NpgsqlConnectionStringBuilder Builder, ImmutableArray<string> Warnings, bool IsPooler)
{
    public static readonly SettingType<PostgresTarget> Type =
        new("database url", "a postgres:// URL or an Npgsql keyword string such as Host=localhost;Database=lekhika", Read);

    private static Reading<PostgresTarget> Read(string text)
    {
        if (text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase))
        {
            return PostgresUrl.Read(text);
        }

        if (text.Contains("://", StringComparison.Ordinal) && !text.Contains(';', StringComparison.Ordinal))
        {
            return Reading<PostgresTarget>.Failed("the scheme must be postgres:// or postgresql://");
        }

        if (!text.Contains('=', StringComparison.Ordinal))
        {
            return Reading<PostgresTarget>.Failed("expected postgres://user@host:5432/database, or keywords such as Host=localhost;Database=lekhika");
        }

        try
        {
            var builder = new NpgsqlConnectionStringBuilder(text);
            return builder.Host?.AsSpan().ContainsAny(' ', '=') == true
                ? Reading<PostgresTarget>.Failed("keywords are separated by semicolons: Host=localhost;Database=lekhika")
                : new PostgresTarget(builder, [], IsPooler: false);
        }
        catch (Exception error) when (error is ArgumentException or KeyNotFoundException or FormatException)
        {
            // The exception's own message names the keyword; it does not repeat values.
            return Reading<PostgresTarget>.Failed($"not a keyword string that Npgsql understands: {error.Message}");
        }
    }
}

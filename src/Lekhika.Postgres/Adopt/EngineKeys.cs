using Npgsql;

namespace Lekhika.Postgres.Adopt;

/// <summary>
/// The keys of accounts in the Lekhika platform's <c>user_engines</c>. They are fetched by whose they are and compared by the caller, so that no query
/// depends on an offered key.
/// </summary>
/// <param name="database">Where the table is.</param>
/// <param name="schema">The table's schema, a plain name.</param>
public sealed class EngineKeys(Database database, string schema)
{
    /// <summary>Nobody has more engines than this.</summary>
    private const int Most = 1000;

    private readonly string _ofEngine =
        $"SELECT u.api_key FROM \"{schema}\".user_engines u WHERE u.id = $1 AND u.user_id = $2 AND u.status = 'active' AND u.api_key IS NOT NULL";

    private readonly string _ofUser =
        FormattableString.Invariant($"SELECT u.api_key FROM \"{schema}\".user_engines u WHERE u.user_id = $1 AND u.status = 'active' AND u.api_key IS NOT NULL LIMIT {Most}");

    /// <summary>The key of one engine; none if it is not that user's or not active.</summary>
    /// <exception cref="EngineKeysException">The table is not there or may not be read.</exception>
    public Task<List<string>> OfEngineAsync(Guid engine, Guid user, CancellationToken cancellationToken) => ReadAsync(_ofEngine, [engine, user], cancellationToken);

    /// <summary>The keys of all active engines of a user.</summary>
    /// <exception cref="EngineKeysException">The table is not there or may not be read.</exception>
    public Task<List<string>> OfUserAsync(Guid user, CancellationToken cancellationToken) => ReadAsync(_ofUser, [user], cancellationToken);

    private async Task<List<string>> ReadAsync(string sql, Guid[] values, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await database.OpenAsync(cancellationToken);
            await using var command = new NpgsqlCommand(sql, connection);
            foreach (var value in values) command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = value });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var keys = new List<string>();
            while (await reader.ReadAsync(cancellationToken)) keys.Add(reader.GetString(0));
            return keys;
        }
        catch (PostgresException exception) when (exception.SqlState.StartsWith("42", StringComparison.Ordinal) || exception.SqlState.StartsWith("3F", StringComparison.Ordinal))
        {
            throw new EngineKeysException(exception);
        }
    }
}

/// <summary>The table of keys is not there, is another one, or may not be read.</summary>
public sealed class EngineKeysException(PostgresException cause)
    : Exception($"{cause.MessageText} (SQLSTATE {cause.SqlState})", cause);

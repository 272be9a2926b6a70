using Npgsql;

namespace Lekhika.Postgres;

/// <summary>
/// Finds out whether something stands between this program and the server. PgBouncer and its like tell each client a process number of their own making,
/// since a client has no server process to itself; so the number that came with the connection is not the one that the server says it has.
/// </summary>
internal static class Pooler
{
    private const string ServerProcess = "SELECT pg_backend_pid()";
    private const int Looks = 5;

    /// <summary>Whether the connection ends at something else than the server. To be asked once per connection, when it is opened.</summary>
    public static bool IsBetween(NpgsqlConnection connection)
    {
        using var command = new NpgsqlCommand(ServerProcess, connection);
        return (int)command.ExecuteScalar()! != connection.ProcessID;
    }

    /// <inheritdoc cref="IsBetween"/>
    public static async Task<bool> IsBetweenAsync(NpgsqlConnection connection) =>
        await ServerProcessAsync(connection, CancellationToken.None) != connection.ProcessID;

    /// <summary>
    /// Whether two connections that are open at the same time are served by one server process, or one by several: then each transaction may meet another
    /// session. A pooler gives out last what came back last, so that a look or two is enough.
    /// </summary>
    public static async Task<bool> IsSharedAsync(NpgsqlConnection one, NpgsqlConnection other, CancellationToken cancellationToken)
    {
        var (first, second) = (0, 0);
        for (var look = 0; look < Looks; look++)
        {
            var (before, beside) = (first, second);
            first = await ServerProcessAsync(one, cancellationToken);
            second = await ServerProcessAsync(other, cancellationToken);
            if (first == second || (look > 0 && (first != before || second != beside))) return true;
        }

        return false;
    }

    private static async Task<int> ServerProcessAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(ServerProcess, connection);
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}

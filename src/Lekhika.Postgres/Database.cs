using Npgsql;

namespace Lekhika.Postgres;

/// <summary>The way to one database and one schema: a pool of connections and the texts of the statements.</summary>
public sealed class Database : IAsyncDisposable
{
    /// <summary>Opens no connection yet: the first one is made when it is needed.</summary>
    /// <param name="connectionString">As Npgsql understands it.</param>
    /// <param name="schema">Where the tables are; a plain name.</param>
    /// <exception cref="ArgumentException">The schema's name is not a plain one, or the connection string is malformed.</exception>
    public Database(string connectionString, string schema = "lekhika")
    {
        Statements = new Statements(schema);
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        PoolerSafe = settings.NoResetOnClose;

        // Never automatic: when the execution that prepares fails at its parameters (a NUL character in somebody's inputs), the driver takes
        // the next statement's answer for that one's and breaks the connection after it has committed.
        settings.MaxAutoPrepare = 0;
        // Connections are given back as they were got, so nothing is to be reset: the reset is six statements with every use. The listener undoes its LISTEN.
        settings.NoResetOnClose = true;
        if (settings.ApplicationName is null) settings.ApplicationName = "lekhika-daemon";
        KeepAlive(settings);
        MostConnections = settings.MaxPoolSize;
        Host = settings.Host ?? "";
        Name = settings.Database ?? settings.Username ?? "";

        var builder = new NpgsqlSlimDataSourceBuilder(settings.ConnectionString);
        builder.EnableArrays();
        builder.EnableTransportSecurity();
        builder.UsePhysicalConnectionInitializer(
            connection => PoolerSafe |= Pooler.IsBetween(connection), async connection => PoolerSafe |= await Pooler.IsBetweenAsync(connection));
        Source = builder.Build();
    }

    /// <summary>
    /// Whether nothing is prepared, because a pooler may be in between: the connection string says so (No Reset On Close), or the first connection found
    /// one. PgBouncer before 1.21 hands a prepared statement to whoever comes next.
    /// </summary>
    public bool PoolerSafe { get; private set; }

    /// <summary>How many connections may be open at once.</summary>
    public int MostConnections { get; }

    /// <summary>The server, for messages; never with credentials.</summary>
    public string Host { get; }

    /// <summary>The database's name, for messages.</summary>
    public string Name { get; }

    internal NpgsqlDataSource Source { get; }

    internal Statements Statements { get; }

    /// <summary>A connection of the pool.</summary>
    public ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) => Source.OpenConnectionAsync(cancellationToken);

    /// <summary>Prepares a statement that is sent often, once per connection, in a round trip of its own; not behind a pooler.</summary>
    internal Task PrepareAsync(NpgsqlCommand command, CancellationToken cancellationToken) =>
        PoolerSafe ? Task.CompletedTask : command.PrepareAsync(cancellationToken);

    /// <summary>
    /// Whether a pooler lends server connections for a transaction at a time, so that a LISTEN is lost in it. A pooler of sessions answers false, as
    /// does the server itself.
    /// </summary>
    public async Task<bool> IsTransactionPooledAsync(CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        if (!PoolerSafe) return false;
        await using var other = await OpenAsync(cancellationToken);
        return await Pooler.IsSharedAsync(connection, other, cancellationToken);
    }

    /// <summary>Whether another try may end otherwise: the connection broke, the server is away, starting, stopping or full.</summary>
    public static bool IsTransient(Exception exception) => exception switch
    {
        PostgresException postgres => postgres.IsTransient || postgres.SqlState is
            PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow
            or PostgresErrorCodes.TooManyConnections or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure
            or PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.DiskFull or PostgresErrorCodes.ReadOnlySqlTransaction
            or PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidCatalogName or PostgresErrorCodes.InsufficientPrivilege
            or PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedFunction or PostgresErrorCodes.InvalidSchemaName,
        NpgsqlException or System.Net.Sockets.SocketException or IOException or TimeoutException => true,
        _ => false,
    };

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Source.DisposeAsync();

    /// <summary>
    /// Loops keep their connections for hours, and a firewall or a balancer in between forgets one that says nothing, without a word to either end: the
    /// next statement would then wait out its time limit. Seconds; the shortest that such devices wait is a minute. What the connection string says wins.
    /// </summary>
    private static void KeepAlive(NpgsqlConnectionStringBuilder settings)
    {
        // A Unix socket has no such option, and refuses it.
        if (settings.Host is { } hosts && hosts.Split(',').Any(static host => host.StartsWith('/') || host.StartsWith('@'))) return;
        if (settings.ShouldSerialize("TCP Keepalive") || settings.ShouldSerialize("TCP Keepalive Time") || settings.ShouldSerialize("TCP Keepalive Interval")) return;
        (settings.TcpKeepAlive, settings.TcpKeepAliveTime, settings.TcpKeepAliveInterval) = (true, 30, 10);
    }
}

using System.Net.Sockets;
using System.Security.Authentication;
using Lekhika.Daemon.Configuration;
using Npgsql;

namespace Lekhika.Daemon.Doctor;

/// <summary>What PostgreSQL refused, and the command that mends it, with the names of this configuration in it.</summary>
internal sealed class DatabaseAdvice
{
    private readonly string _host;
    private readonly int _port;
    private readonly string _role;
    private readonly string _database;
    private readonly string _schema;

    public DatabaseAdvice(DatabaseOptions options)
    {
        var builder = new NpgsqlConnectionStringBuilder(options.ConnectionString.Reveal());
        (_host, _port, _schema) = (builder.Host ?? "", builder.Port, options.Schema);
        _role = string.IsNullOrEmpty(builder.Username) ? Environment.UserName : builder.Username;
        _database = string.IsNullOrEmpty(builder.Database) ? _role : builder.Database;
    }

    private bool IsSocket => _host.StartsWith('/');

    /// <summary>How an exception of a connection or a statement came about.</summary>
    public (string Message, string Fix) Of(Exception exception)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case PostgresException refused: return (refused.MessageText, Refused(refused));
                case SocketException { SocketErrorCode: SocketError.AddressNotAvailable or SocketError.ConnectionRefused } when IsSocket:
                    return ($"no PostgreSQL has its socket in {_host} for port {_port}", "start PostgreSQL (systemctl enable --now postgresql), and see that database.url has its host and port; pg_lsclusters lists them");
                case SocketException { SocketErrorCode: SocketError.ConnectionRefused }:
                    return ("nothing listens there", "start PostgreSQL (systemctl enable --now postgresql), and see that database.url has its host and port");
                case SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain }:
                    return ("the host is not known to DNS", "mend the host in database.url");
                case SocketException socket:
                    return (socket.Message, "see that PostgreSQL runs, and that database.url names its host, port or socket folder (/var/run/postgresql)");
                case AuthenticationException tls:
                    return (tls.Message, "sslmode and sslrootcert in database.url must fit the server's certificate");
                case NpgsqlException { InnerException: null } other when other.Message.StartsWith("SSL connection requested", StringComparison.Ordinal):
                    return ("the server speaks no TLS, which database.url asks for", "set ssl = on with a certificate in its postgresql.conf, or, on a network that you trust, sslmode=prefer in database.url");
                case NpgsqlException { InnerException: null } other when other.Message.StartsWith("No password", StringComparison.Ordinal):
                    return ($"the server wants a password for {_role}, and none is configured", Password());
            }
        }

        return (exception.Message, "see that PostgreSQL runs and database.url is right");
    }

    /// <summary>What gives a role the privileges that it lacks.</summary>
    /// <param name="missing">As the inspection names them.</param>
    public string For(IReadOnlyList<string> missing)
    {
        if (missing.FirstOrDefault(static right => right.StartsWith("ownership", StringComparison.Ordinal)) is { } foreign)
            return $"let database.url name that owner ({foreign[(foreign.IndexOf("owner is ", StringComparison.Ordinal) + 9)..]}), then: lekhika-daemon migrate";
        if (missing.Any(static right => right.StartsWith("CREATE on the", StringComparison.Ordinal))) return $"{MayCreate(onSchema: missing.Any(static right => right.StartsWith("CREATE on the schema", StringComparison.Ordinal)))}, then: lekhika-daemon migrate";
        var (role, schema) = (Quote(_role), Quote(_schema));
        return $"""
            let database.url name the owner of the schema, or as a superuser or that owner: psql -d {_database} -c 'GRANT USAGE ON SCHEMA {schema} TO {role}' -c 'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}' -c 'GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}' -c 'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {role}'
            """;
    }

    private string Refused(PostgresException refused)
    {
        switch (refused.SqlState)
        {
            case PostgresErrorCodes.InvalidAuthorizationSpecification or PostgresErrorCodes.InvalidPassword:
                if (refused.MessageText.Contains("eer authentication", StringComparison.Ordinal))
                    return "peer authentication wants the operating system's user to be the role: run this with sudo, and let database.url name the role lekhika-daemon";
                if (refused.MessageText.Contains("does not exist", StringComparison.Ordinal)) return $"{AsPostgres()}createuser {Word(_role)}{(IsSocket ? "" : " --pwprompt")}, or mend the role in database.url";
                if (refused.MessageText.Contains("pg_hba.conf", StringComparison.Ordinal))
                    return $"add a line for {_role} and {_database} to the server's pg_hba.conf ({AsPostgres()}psql -c 'SHOW hba_file'), then: SELECT pg_reload_conf()";
                return Password();
            case PostgresErrorCodes.InvalidCatalogName:
                return $"{AsPostgres()}createdb -O {Word(_role)} {Word(_database)}, then: lekhika-daemon migrate; or mend the name in database.url";
            case PostgresErrorCodes.TooManyConnections:
                return "raise max_connections in postgresql.conf, or lower database.pool_size";
            case PostgresErrorCodes.InsufficientPrivilege when refused.MessageText.Contains("for database", StringComparison.Ordinal):
                return MayCreate(onSchema: false);
            case PostgresErrorCodes.InsufficientPrivilege when refused.MessageText.Contains("for schema", StringComparison.Ordinal):
                return MayCreate(onSchema: true);
            case PostgresErrorCodes.InsufficientPrivilege:
                return $"{_role} lacks a right: let database.url name the owner of what the message names; lekhika-daemon doctor shows all that is lacking";
            case PostgresErrorCodes.ReadOnlySqlTransaction:
                return "database.url must name the primary, not a standby; default_transaction_read_only must be off";
            default:
                return $"the message says what PostgreSQL refused (SQLSTATE {refused.SqlState}); its log says more";
        }
    }

    private string Password() =>
        "put the right password into /etc/lekhika-daemon/credentials/database-password (root, mode 600) and restart the daemon; "
        + $"a new one: {AsPostgres()}psql -c '\\password {Quote(_role)}'";

    private string MayCreate(bool onSchema) => onSchema
        ? $"{AsPostgres()}psql -d {Word(_database)} -c 'GRANT USAGE, CREATE ON SCHEMA {Quote(_schema)} TO {Quote(_role)}'"
        : $"{AsPostgres()}psql -d {Word(_database)} -c 'GRANT CREATE ON DATABASE {Quote(_database)} TO {Quote(_role)}'";

    // Here if it is here; else it is another machine's business, or a provider's.
    private string AsPostgres() => IsSocket || _host is "localhost" or "127.0.0.1" or "::1" ? $"sudo -u postgres {(_port == 5432 ? "" : $"env PGPORT={_port} ")}" : "as a superuser there: ";

    private static string Word(string name) => name.All(static letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.') ? name : $"'{name.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static string Quote(string name) =>
        name.All(static letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '_') ? name : $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}

using System.Globalization;
using Npgsql;

namespace Lekhika.Daemon.Configuration;

/// <summary>The parameters after the "?" of a PostgreSQL URL, each put where Npgsql has it.</summary>
internal sealed class PostgresUrlParameters(NpgsqlConnectionStringBuilder builder)
{
    private static readonly string[] Known =
    [
        "application_name", "channel_binding", "client_encoding", "connect_timeout", "connection_limit", "dbname", "fallback_application_name",
        "gssencmode", "host", "hostaddr", "keepalives", "keepalives_idle", "keepalives_interval", "krbsrvname", "options", "passfile", "password",
        "pgbouncer", "port", "require_auth", "sslcert", "sslkey", "sslmode", "sslnegotiation", "sslpassword", "sslrootcert", "target_session_attrs", "user",
    ];

    public List<string> Warnings { get; } = [];

    public bool IsPooler { get; private set; }

    /// <exception cref="FormatException">The parameter is unknown, or its value does not fit.</exception>
    public void Apply(string name, string value)
    {
        switch (name)
        {
            case "host" or "hostaddr": builder.Host = value; break;
            case "port": builder.Port = Number(name, value, 1, 65535); break;
            case "dbname": builder.Database = value; break;
            case "user": builder.Username = value; break;
            case "password": builder.Password = value; break;
            case "passfile": builder.Passfile = value; break;
            case "application_name": builder.ApplicationName = value; break;
            case "fallback_application_name": builder.ApplicationName ??= value; break;
            case "options": builder.Options = value; break;
            case "connect_timeout": builder.Timeout = Number(name, value, 0, 1024); break;
            case "connection_limit": builder.MaxPoolSize = Number(name, value, 1, 1000); break;
            case "sslmode": builder.SslMode = ReadSslMode(value); break;
            case "ssl": builder.SslMode = value is "true" or "1" ? SslMode.Require : SslMode.Prefer; break;
            case "sslrootcert": builder.RootCertificate = value == "system" ? null : value; break;
            case "sslcert": builder.SslCertificate = value; break;
            case "sslkey": builder.SslKey = value; break;
            case "sslpassword": builder.SslPassword = value; break;
            case "sslnegotiation":
                builder.SslNegotiation = OneOf(name, value, ("postgres", SslNegotiation.Postgres), ("direct", SslNegotiation.Direct));
                break;
            case "channel_binding":
                builder.ChannelBinding = OneOf(
                    name, value, ("disable", ChannelBinding.Disable), ("prefer", ChannelBinding.Prefer), ("require", ChannelBinding.Require));
                break;
            case "gssencmode":
                builder.GssEncryptionMode = OneOf(
                    name, value, ("disable", GssEncryptionMode.Disable), ("prefer", GssEncryptionMode.Prefer), ("require", GssEncryptionMode.Require));
                break;
            case "require_auth": Set(name, "Require Auth", value); break;
            case "krbsrvname": builder.KerberosServiceName = value; break;
            case "target_session_attrs": Set(name, "Target Session Attributes", value); break;
            case "client_encoding": RequireUtf8(value); break;
            case "keepalives": builder.TcpKeepAlive = value == "1"; break;
            case "keepalives_idle": builder.TcpKeepAliveTime = Number(name, value, 0, 100_000); break;
            case "keepalives_interval": builder.TcpKeepAliveInterval = Number(name, value, 0, 100_000); break;
            case "pgbouncer": IsPooler = value is "true" or "1"; break;
            case "schema": Warnings.Add("the parameter schema is ignored; set database.schema"); break;
            case "supa" or "pool_timeout" or "uselibpqcompat" or "statement_cache_size" or "prepareThreshold" or "workaround":
                Warnings.Add($"the parameter {name} means nothing here and is ignored");
                break;
            default:
                var near = Suggestion.Closest(name, Known);
                throw new FormatException($"unknown parameter \"{name}\"{(near is null ? "" : $"; did you mean {near}?")}");
        }
    }

    private static SslMode ReadSslMode(string value) => OneOf(
        "sslmode", value, ("disable", SslMode.Disable), ("allow", SslMode.Allow), ("prefer", SslMode.Prefer), ("require", SslMode.Require),
        ("verify-ca", SslMode.VerifyCA), ("verify-full", SslMode.VerifyFull), ("no-verify", SslMode.Require));

    private static T OneOf<T>(string name, string value, params (string Word, T Value)[] choices)
    {
        foreach (var (word, choice) in choices)
        {
            if (word == value)
            {
                return choice;
            }
        }

        throw new FormatException($"the parameter {name} must be one of {string.Join(", ", choices.Select(choice => choice.Word))}");
    }

    private static int Number(string name, string value, int least, int most) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"the parameter {name} must be a whole number from {least} to {most}"));

    private void Set(string name, string keyword, string value)
    {
        try
        {
            builder[keyword] = value;
        }
        catch (Exception error) when (error is ArgumentException or InvalidCastException)
        {
            throw new FormatException($"the parameter {name} has a value that is not understood", error);
        }
    }

    private void RequireUtf8(string value)
    {
        if (value.Replace("-", "", StringComparison.Ordinal).ToUpperInvariant() is not ("UTF8" or "AUTO"))
        {
            throw new FormatException("the parameter client_encoding must be UTF8");
        }

        builder.ClientEncoding = "UTF8";
    }
}

using System.Globalization;
using Npgsql;

namespace Lekhika.Daemon.Configuration;

// postgres://[user[:password]@][host[:port][,host[:port]…]][/database][?parameter=value&…], as libpq reads it: every part
// is percent-encoded, a host that begins with "/" (or %2F) is the folder of a Unix socket, and a parameter such as host or
// password fills the part of that name. The last "@" ends the password, so that one that was not escaped still works.

/// <summary>Reads the URLs that libpq, Supabase and the hosting providers hand out.</summary>
internal static class PostgresUrl
{
    private const string EscapeHint = "percent-encode / ? # % and @ in a user name or password";

    public static Reading<PostgresTarget> Read(string url)
    {
        try
        {
            var rest = url[(url.IndexOf("://", StringComparison.Ordinal) + 3)..];
            var builder = new NpgsqlConnectionStringBuilder();
            var parameters = new PostgresUrlParameters(builder);
            var query = rest.IndexOf('?', StringComparison.Ordinal);
            var location = query < 0 ? rest : rest[..query];
            var slash = location.IndexOf('/', StringComparison.Ordinal);
            ReadAuthority(builder, slash < 0 ? location : location[..slash]);
            if (slash >= 0 && slash + 1 < location.Length)
            {
                var database = location[(slash + 1)..].TrimEnd('/');
                if (database.AsSpan().ContainsAny('/', '@', '#'))
                {
                    throw new FormatException($"more than a database name after the host; {EscapeHint}");
                }

                builder.Database = Decode(database, "the database name");
            }

            if (query >= 0)
            {
                foreach (var pair in rest[(query + 1)..].Split('&', StringSplitOptions.RemoveEmptyEntries))
                {
                    var equals = pair.IndexOf('=', StringComparison.Ordinal);
                    if (equals <= 0)
                    {
                        throw new FormatException("every parameter after \"?\" must be name=value");
                    }

                    var name = Decode(pair[..equals], "a parameter's name");
                    parameters.Apply(name, Decode(pair[(equals + 1)..], $"the parameter {name}"));
                }
            }

            return new PostgresTarget(builder, [.. parameters.Warnings], parameters.IsPooler);
        }
        catch (FormatException error)
        {
            return Reading<PostgresTarget>.Failed(error.Message);
        }
    }

    private static void ReadAuthority(NpgsqlConnectionStringBuilder builder, string authority)
    {
        var at = authority.LastIndexOf('@');
        if (at >= 0)
        {
            var user = authority[..at];
            var colon = user.IndexOf(':', StringComparison.Ordinal);
            if (colon != 0 && user.Length > 0)
            {
                builder.Username = Decode(colon < 0 ? user : user[..colon], "the user name");
            }

            if (colon >= 0)
            {
                builder.Password = Decode(user[(colon + 1)..], "the password");
            }
        }

        var hosts = authority[(at + 1)..];
        if (hosts.Length == 0)
        {
            return;
        }

        if (hosts.Contains(',', StringComparison.Ordinal))
        {
            // Npgsql takes several hosts as host:port, host:port.
            var each = hosts.Split(',').Select(host => SplitPort(host) is var (name, port) && port is { } number
                ? string.Create(CultureInfo.InvariantCulture, $"{name}:{number}")
                : name);
            builder.Host = string.Join(',', each);
            return;
        }

        var (single, singlePort) = SplitPort(hosts);
        if (single.Length > 0)
        {
            builder.Host = single.Trim('[', ']');
        }

        if (singlePort is { } value)
        {
            builder.Port = value;
        }
    }

    private static (string Host, int? Port) SplitPort(string host)
    {
        var colon = host.IndexOf(':', Math.Max(host.IndexOf(']', StringComparison.Ordinal), 0));
        if (colon < 0)
        {
            return (Decode(host, "the host"), null);
        }

        // What is not a number here is often the tail of a password, so it is not repeated.
        return ushort.TryParse(host.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0
            ? (Decode(host[..colon], "the host"), port)
            : throw new FormatException($"the port is not a number from 1 to 65535; {EscapeHint}");
    }

    private static string Decode(string text, string what)
    {
        for (var percent = text.IndexOf('%', StringComparison.Ordinal); percent >= 0; percent = text.IndexOf('%', percent + 1))
        {
            if (percent + 2 >= text.Length || !char.IsAsciiHexDigit(text[percent + 1]) || !char.IsAsciiHexDigit(text[percent + 2]))
            {
                throw new FormatException($"a \"%\" in {what} is not followed by two hexadecimal digits; write %25 for a percent sign");
            }
        }

        return Uri.UnescapeDataString(text);
    }
}

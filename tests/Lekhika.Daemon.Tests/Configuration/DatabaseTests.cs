using Lekhika.Daemon.Configuration;
using Npgsql;
using Xunit;

namespace Lekhika.Daemon.Tests.Configuration;

public sealed class DatabaseTests
{
    [Fact]
    public void A_url_is_decoded_and_its_parameters_are_mapped()
    {
        var builder = Builder("postgresql://us%40er:p%2Fa%3As%25s@db.example:6432/my%20db?sslmode=verify-full&sslrootcert=/ca.pem"
            + "&application_name=app&options=-c%20statement_timeout%3D5s&connect_timeout=7&channel_binding=require&target_session_attrs=read-write");
        Assert.Equal("us@er", builder.Username);
        Assert.Equal("p/a:s%s", builder.Password);
        Assert.Equal("db.example", builder.Host);
        Assert.Equal(6432, builder.Port);
        Assert.Equal("my db", builder.Database);
        Assert.Equal(SslMode.VerifyFull, builder.SslMode);
        Assert.Equal("/ca.pem", builder.RootCertificate);
        Assert.Equal("app", builder.ApplicationName);
        Assert.Equal("-c statement_timeout=5s", builder.Options);
        Assert.Equal(7, builder.Timeout);
        Assert.Equal(ChannelBinding.Require, builder.ChannelBinding);
        Assert.Equal("read-write", builder.TargetSessionAttributes);
        Assert.Equal(10, builder.MaxPoolSize);
    }

    [Theory]
    [InlineData("postgres://localhost", "localhost", 5432, "lekhika", null)]
    [InlineData("postgres:///mine?host=/var/run/postgresql", "/var/run/postgresql", 5432, "mine", null)]
    [InlineData("postgres://%2Fvar%2Frun%2Fpostgresql/mine", "/var/run/postgresql", 5432, "mine", null)]
    [InlineData("postgres://[::1]:5433/mine", "::1", 5433, "mine", null)]
    [InlineData("postgres://u@h/mine?user=v", "h", 5432, "mine", "v")]
    [InlineData("postgres://u:p@ss@h/mine", "h", 5432, "mine", "u")]
    [InlineData("Host=h;Port=5433;Database=mine;Username=u", "h", 5433, "mine", "u")]
    public void Its_parts_are_found(string url, string host, int port, string database, string? user)
    {
        var builder = Builder(url);
        Assert.Equal((host, port, database, user), (builder.Host, builder.Port, builder.Database, builder.Username));
        Assert.Equal("lekhika-daemon", builder.ApplicationName);
    }

    [Fact]
    public void Several_hosts_are_passed_on() => Assert.Equal("a:5432,b:5433", Builder("postgres://a:5432,b:5433/d").Host);

    [Theory]
    [InlineData("postgres://u:s3cret/word@h/d", "percent-encode")]
    [InlineData("postgres://u:s3cret%zz@h/d", "hexadecimal")]
    [InlineData("postgres://h/d?sslmod=require", "did you mean sslmode")]
    [InlineData("postgres://h/d?sslmode=s3cret", "verify-full")]
    [InlineData("postgres://h:s3cret/d", "port")]
    [InlineData("mysql://h/s3cret", "scheme")]
    [InlineData("s3cret", "expected postgres://")]
    [InlineData("host=h dbname=s3cret", "semicolons")]
    [InlineData("Host=h;Passwort=s3cret", "keyword")]
    [InlineData("postgres://h/d?client_encoding=s3cret", "UTF8")]
    [InlineData("postgres://h/d?target_session_attrs=s3cret", "not understood")]
    public void What_is_wrong_is_said_without_the_value(string url, string message)
    {
        var error = Assert.Single(Read.Errors($"[auth]\ninternal_secret = 0123456789abcdef\n[database]\nurl = \"{url}\"\n"));
        Assert.StartsWith("database.url (/etc/daemon.conf:4): ", error, StringComparison.Ordinal);
        Assert.Contains(message, error, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("s3cret", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Separate_keys_fill_in_what_the_url_leaves_out_and_yield_to_what_it_names()
    {
        var result = Read.From("[auth]\ninternal_secret = 0123456789abcdef\n[database]\nurl = postgres://u@h/d\nuser = other\npassword = pw\nport = 6000\n");
        var builder = new NpgsqlConnectionStringBuilder(result.Options!.Database.ConnectionString.Reveal());
        Assert.Equal(("h", 6000, "d", "u", "pw"), (builder.Host, builder.Port, builder.Database, builder.Username, builder.Password));
        Assert.StartsWith("database.user (/etc/daemon.conf:5): ignored, because database.url", Assert.Single(result.Warnings).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Separate_keys_will_do_without_a_url()
    {
        var database = Read.Options("[auth]\ninternal_secret = 0123456789abcdef\n[database]\nhost = /var/run/postgresql\nuser = lek\nname = books\npool_size = 33\nschema = public\n").Database;
        Assert.Equal("lek@/var/run/postgresql/books", database.Display);
        Assert.Equal((33, "public", ListenMode.Auto), (database.PoolSize, database.Schema, database.Listen));
    }

    [Fact]
    public void A_pooler_is_polled_and_foreign_parameters_are_warned_of()
    {
        var result = Read.From("[auth]\ninternal_secret = 0123456789abcdef\n[database]\nurl = postgres://h:6543/d?pgbouncer=true&connection_limit=3&schema=public&pool_timeout=1\n");
        Assert.Equal((ListenMode.Off, 3), (result.Options!.Database.Listen, result.Options.Database.PoolSize));
        Assert.True(new NpgsqlConnectionStringBuilder(result.Options.Database.ConnectionString.Reveal()).NoResetOnClose);
        Assert.Equal(2, result.Warnings.Length);
    }

    private static NpgsqlConnectionStringBuilder Builder(string url) =>
        new(Read.Options($"[auth]\ninternal_secret = 0123456789abcdef\n[database]\nurl = \"{url}\"\n").Database.ConnectionString.Reveal());
}

using Lekhika.Tests.Support;
using Npgsql;
using Xunit;

namespace Lekhika.Postgres.Tests.Connections;

public sealed class KeepAliveTests(PostgresCluster cluster)
{
    [Theory]
    [InlineData("Host=db.example", true, 30)]
    [InlineData("Host=db.example;TCP Keepalive=false", false, 0)]
    [InlineData("Host=db.example;TCP Keepalive=true;TCP Keepalive Time=300;TCP Keepalive Interval=5", true, 300)]
    public async Task A_connection_is_kept_alive_unless_its_string_says_otherwise(string text, bool isKept, int seconds)
    {
        await using var database = new Database(text);
        var settings = new NpgsqlConnectionStringBuilder(database.Source.ConnectionString);
        Assert.Equal((isKept, seconds), (settings.TcpKeepAlive, settings.TcpKeepAliveTime));
    }

    [Fact]
    public async Task The_server_is_reached_with_it()
    {
        await using var database = await MigratedDatabase.CreateAsync(cluster, TestContext.Current.CancellationToken);
        await using var connection = await database.Database.OpenAsync(TestContext.Current.CancellationToken);
        Assert.True(new NpgsqlConnectionStringBuilder(connection.ConnectionString).TcpKeepAlive);
    }
}

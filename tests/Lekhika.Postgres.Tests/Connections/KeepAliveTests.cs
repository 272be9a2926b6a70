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
    [InlineData("Host=/var/run/postgresql", false, 0)]
    [InlineData("Host=db.example,/var/run/postgresql", false, 0)]
    public async Task A_connection_is_kept_alive_unless_its_string_says_otherwise(string text, bool isKept, int seconds)
    {
        await using var database = new Database(text);
        var settings = new NpgsqlConnectionStringBuilder(database.Source.ConnectionString);
        Assert.Equal((isKept, seconds), (settings.TcpKeepAlive, settings.TcpKeepAliveTime));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_server_is_reached_by_network_and_by_its_socket(bool bySocket)
    {
        await using var migrated = await MigratedDatabase.CreateAsync(cluster, TestContext.Current.CancellationToken);
        var text = new NpgsqlConnectionStringBuilder(migrated.ConnectionString);
        if (bySocket) text.Host = cluster.SocketFolder;
        await using var database = new Database(text.ConnectionString);
        await using var connection = await database.OpenAsync(TestContext.Current.CancellationToken);
        Assert.Equal(!bySocket, new NpgsqlConnectionStringBuilder(connection.ConnectionString).TcpKeepAlive);
    }
}

using Lekhika.Tests.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd.Support;

/// <summary>The PostgreSQL cluster that the end-to-end tests share, each with a database of its own. Made when the first of them asks.</summary>
public sealed class Servers : IAsyncLifetime
{
    private readonly SemaphoreSlim _making = new(1);
    private PostgresCluster? _cluster;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async Task<PostgresCluster> ClusterAsync()
    {
        await _making.WaitAsync();
        try
        {
            if (_cluster is null)
            {
                var cluster = new PostgresCluster();
                await cluster.InitializeAsync();
                _cluster = cluster;
            }

            return _cluster;
        }
        finally
        {
            _making.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _making.Dispose();
        if (_cluster is not null) await _cluster.DisposeAsync();
    }
}

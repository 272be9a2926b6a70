// ReSharper disable once CheckNamespace
namespace Xunit;

/// <summary>What the shared PostgresCluster is to the test projects; here nobody but the campaign calls it.</summary>
public interface IAsyncLifetime : IAsyncDisposable
{
    /// <summary>Makes and starts it.</summary>
    ValueTask InitializeAsync();
}

using System.Data;
using Npgsql;

namespace Lekhika.Postgres;

/// <summary>
/// The connection that one loop keeps from statement to statement. The server plans a function anew on each connection and keeps what it read of the
/// catalogue there, and the pool hands out its connections in turn: a loop without one of its own runs each statement where it was last run ten
/// statements ago. A pool of few connections cannot spare any; there one is taken and given back each time.
///
/// Not for more than one statement at a time: it belongs to one loop.
/// </summary>
public sealed class KeptConnection(Database database) : IAsyncDisposable
{
    // The journal, the claims and the listener keep one each, and as many again are for everybody.
    private const int LeastPool = 6;

    private readonly bool _keeps = database.MostConnections >= LeastPool;
    private NpgsqlConnection? _kept;

    /// <summary>The connection, a new one if the one before broke. To be disposed when its statement is over.</summary>
    internal async ValueTask<Loan> OpenAsync(CancellationToken cancellationToken)
    {
        if (!_keeps) return new Loan(await database.OpenAsync(cancellationToken), isKept: false);
        if (_kept is not { State: ConnectionState.Open })
        {
            await DisposeAsync();
            _kept = await database.OpenAsync(cancellationToken);
        }

        return new Loan(_kept!, isKept: true);
    }

    /// <summary>The kept connection, or one of the pool where none is kept.</summary>
    internal static async ValueTask<Loan> OpenAsync(KeptConnection? kept, Database database, CancellationToken cancellationToken) =>
        kept is null ? new Loan(await database.OpenAsync(cancellationToken), isKept: false) : await kept.OpenAsync(cancellationToken);

    /// <summary>Gives the connection back.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_kept is not { } kept) return;
        _kept = null;
        await kept.DisposeAsync();
    }

    /// <summary>A connection for one statement.</summary>
    internal readonly struct Loan(NpgsqlConnection connection, bool isKept) : IAsyncDisposable
    {
        public NpgsqlConnection Connection => connection;

        public ValueTask DisposeAsync() => isKept ? ValueTask.CompletedTask : connection.DisposeAsync();
    }
}

using System.Collections.Concurrent;
using Lekhika.Inference.Lanes;
using Lekhika.Postgres.Queue;

namespace Lekhika.Daemon.Dispatch;

/// <summary>
/// The turn of model servers among the daemons that share this database, in PostgreSQL (<see cref="ModelTurns"/>). One task per server, alive only
/// while this daemon has a turn there or wants one:
///
///   wanted ──asked──► granted ──another waits──► contested (the pool gives it back when it can) ──► given back
///              └────► refused: asked again each second
///
/// The database is asked at most once a second for each server, at once if the last time is longer ago; it writes only what changes.
///
///   alone         everything is granted and nothing is written
///   crash         a holder whose lease has lapsed is passed over by the others, by the database's clock
///   database away each daemon decides for itself, as if it were alone, and says what it has once the database is back
///   no incarnation (not begun, revoked): as if alone; what the incarnation before had is void with it
/// </summary>
internal sealed partial class SharedTurn(ModelTurns turns, Func<long?> incarnation, TimeProvider time, ILogger<SharedTurn> logger) : ILaneTurn
{
    private readonly ConcurrentDictionary<string, SharedTurnEndpoint> _endpoints = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public async ValueTask<ILaneLease> EnterAsync(string endpoint, int places, string model, CancellationToken cancellationToken)
    {
        var shared = _endpoints.GetOrAdd(NameOf(endpoint), name => new SharedTurnEndpoint(name, AskAsync, time));
        return await shared.EnterAsync(places, model, cancellationToken);
    }

    /// <summary>What daemons on any machine call a server: its address, and the machine's own name instead of "this machine".</summary>
    internal static string NameOf(string endpoint)
    {
        if (!Uri.TryCreate(endpoint, UriKind.Absolute, out var url)) return endpoint;
        var host = url.IsLoopback ? Environment.MachineName : url.Host;
        return FormattableString.Invariant($"{url.Scheme}://{host.ToLowerInvariant()}:{url.Port}{url.AbsolutePath.TrimEnd('/')}");
    }

    private async Task<ModelTurnReply?> AskAsync(SharedTurnEndpoint endpoint, int places, string[] has, string[] wants)
    {
        if (incarnation() is not { } number) return new ModelTurnReply(Alone: true, [.. wants], []);
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(3), time);
            var reply = await turns.AskAsync(number, endpoint.Name, places, has, wants, patience.Token);
            if (endpoint.Failing) LogBack(logger, endpoint.Name);
            endpoint.Failing = false;
            return reply;
        }
        catch (Exception exception) when (exception is Npgsql.NpgsqlException or OperationCanceledException or TimeoutException)
        {
            if (!endpoint.Failing) LogAway(logger, endpoint.Name, exception.Message);
            endpoint.Failing = true;
            return null;
        }
    }

    [LoggerMessage(3601, LogLevel.Warning, "Whose turn it is at {Endpoint} cannot be asked: {Reason}. Going on as if no other daemon used it.")]
    private static partial void LogAway(ILogger logger, string endpoint, string reason);

    [LoggerMessage(3602, LogLevel.Information, "Whose turn it is at {Endpoint} is shared again")]
    private static partial void LogBack(ILogger logger, string endpoint);
}

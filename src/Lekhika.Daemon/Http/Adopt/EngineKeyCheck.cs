using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Http.Execute;
using Lekhika.Postgres.Adopt;
using Lekhika.Postgres.Executions;

namespace Lekhika.Daemon.Http.Adopt;

// Two ways in which the Lekhika platform shows the key of an account:
//
//   POST /execute             behind the internal secret, in the body with userEngineId and userId: the three must belong together. A body that names
//                             neither key nor engine is from somebody else, who has the secret and is served as ever.
//   POST /stop/{id}, /resume  without the internal secret, in a header, where that is allowed: the key must be one of the execution's user. An
//                             execution that is not there is refused like one of somebody else, so that nothing can be found out.
//
// Keys are compared in constant time, and are in no log, no reply and no row of ours.

/// <summary>Checks the keys of the Lekhika platform's accounts.</summary>
internal sealed partial class EngineKeyCheck(HttpServerContext services, ExecutionLookup lookup)
{
    /// <summary>What the platform sends the key in.</summary>
    public const string Header = "X-Lekhika-API-Key";

    private readonly ILogger _logger = services.Loggers.CreateLogger<EngineKeyCheck>();

    /// <summary>Whether the caller of <c>/execute</c> may use the engine that it names.</summary>
    /// <exception cref="RequestException">It may not, or fields that are needed for it are missing.</exception>
    public async Task RequireEngineAsync(EngineClaim claim, CancellationToken cancellationToken)
    {
        if (services.EngineKeys is not { } keys || claim.IsNone) return;
        List<string> missing = [];
        if (claim.ApiKey is null) missing.Add("lekhikaApiKey");
        if (claim.UserEngineId is null) missing.Add("userEngineId");
        if (claim.UserId is null) missing.Add("userId");
        if (missing.Count > 0)
        {
            throw new RequestException(
                StatusCodes.Status400BadRequest, HttpErrorCodes.InvalidRequest,
                $"The key of the account cannot be checked: {string.Join(" and ", missing)} missing.")
            {
                Required = missing,
            };
        }

        var known = Guid.TryParse(claim.UserEngineId, out var engine) && Guid.TryParse(claim.UserId, out var user)
            ? await ReadAsync(token => keys.OfEngineAsync(engine, user, token), cancellationToken)
            : [];
        if (!Matches(claim.ApiKey!, known)) throw Refused("lekhikaApiKey is not the key of an active engine userEngineId of the user userId.");
    }

    /// <summary>Whether a caller without the internal secret may control this execution; whoever sent the secret may.</summary>
    /// <param name="context">The request.</param>
    /// <param name="row">The execution; null if there is none.</param>
    /// <param name="cancellationToken">Aborts the look-up.</param>
    /// <exception cref="RequestException">It may not.</exception>
    public async Task RequireOwnAsync(HttpContext context, ExecutionRow? row, CancellationToken cancellationToken)
    {
        if (context.Features.Get<OfferedKey>() is not { } offered) return;
        List<string> known = [];
        if (services.EngineKeys is { } keys && Guid.TryParse(row?.UserId, out var user))
            known = await ReadAsync(token => keys.OfUserAsync(user, token), cancellationToken);
        if (!Matches(offered.Key, known)) throw Refused($"The key in {Header} is not one of the user whose execution this is, or there is no such execution.");
    }

    private async Task<List<string>> ReadAsync(Func<CancellationToken, Task<List<string>>> read, CancellationToken cancellationToken)
    {
        try
        {
            return await lookup.BoundedAsync(read, cancellationToken);
        }
        catch (EngineKeysException exception)
        {
            LogUnreadable(_logger, exception.Message);
            throw new RequestException(
                StatusCodes.Status503ServiceUnavailable, HttpErrorCodes.Unavailable, "The keys of accounts cannot be checked just now; the daemon's log says why.");
        }
    }

    // Every key is compared, whichever fits.
    private static bool Matches(Secret offered, List<string> known)
    {
        var fits = false;
        foreach (var key in known) fits |= key.Length > 0 && offered.Matches(key);
        return fits;
    }

    private static RequestException Refused(string message) => new(StatusCodes.Status403Forbidden, HttpErrorCodes.InvalidApiKey, message);

    [LoggerMessage(4501, LogLevel.Error, "The keys of accounts cannot be read: {Reason}. Check adopt.lekhika_schema and the rights of the daemon's role on user_engines.")]
    private static partial void LogUnreadable(ILogger logger, string reason);
}

/// <summary>What a body of <c>/execute</c> says about the account it is for.</summary>
/// <param name="UserEngineId">Row of <c>user_engines</c>.</param>
/// <param name="MasterEngineId">Row of <c>ai_engines</c>.</param>
/// <param name="UserId">Whose it is.</param>
/// <param name="ApiKey">The key.</param>
internal readonly record struct EngineClaim(string? UserEngineId, string? MasterEngineId, string? UserId, Secret? ApiKey)
{
    /// <summary>Neither a key nor an engine is named.</summary>
    public bool IsNone => UserEngineId is null && MasterEngineId is null && ApiKey is null;
}

/// <summary>The key that a request brought in place of the internal secret; whoever serves such a request must check it.</summary>
internal sealed class OfferedKey(Secret key)
{
    public Secret Key { get; } = key;
}

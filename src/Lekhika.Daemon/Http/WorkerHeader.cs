namespace Lekhika.Daemon.Http;

/// <summary>
/// Every reply, errors included, says in <c>X-Worker-Id</c> which worker gave it: behind a proxy that is how one finds out who answers. It is the
/// same name that /health tells everybody.
/// </summary>
internal static class WorkerHeader
{
    public const string Name = "X-Worker-Id";

    public static Func<RequestDelegate, RequestDelegate> Guard(string workerId)
    {
        // A header holds ASCII; a name with other letters is told by /health alone.
        var value = workerId.All(static character => character is > ' ' and < (char)127) ? workerId : null;
        return next => context =>
        {
            if (value is not null) context.Response.Headers[Name] = value;
            return next(context);
        };
    }
}

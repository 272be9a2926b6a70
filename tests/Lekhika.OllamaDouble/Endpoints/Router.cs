namespace Lekhika.Doubles;

/// <summary>
/// Routes as gin does: paths are exact and case counts, an unknown path and a wrong method answer text, a trailing slash or a doubled one
/// redirects. Hosts and origins are checked before.
/// </summary>
internal sealed class Router(HostGuard guard, StatsRecorder stats)
{
    private readonly Dictionary<string, Dictionary<string, RequestDelegate>> _routes = new(StringComparer.Ordinal);
    private readonly List<(string Prefix, Dictionary<string, RequestDelegate> Methods)> _prefixes = [];

    public Router Map(string path, string methods, RequestDelegate handler)
    {
        Add(_routes.TryGetValue(path, out var known) ? known : _routes[path] = new(StringComparer.Ordinal), methods, handler);
        return this;
    }

    /// <summary>All paths that start so.</summary>
    public Router MapBelow(string prefix, string methods, RequestDelegate handler)
    {
        var route = _prefixes.FirstOrDefault(known => string.Equals(known.Prefix, prefix, StringComparison.Ordinal));
        if (route.Methods is null)
            _prefixes.Add(route = (prefix, new(StringComparer.Ordinal)));
        Add(route.Methods, methods, handler);
        return this;
    }

    public async Task HandleAsync(HttpContext http)
    {
        var path = http.Request.Path.Value ?? "/";
        var method = http.Request.Method;
        var isAdmin = path.StartsWith("/double/", StringComparison.Ordinal);
        if (!isAdmin)
            stats.Request(method, path);
        var route = Find(path);
        if (route is not null && !route.ContainsKey(method))
            http.Response.Headers.Allow = string.Join(", ", route.Keys);
        if (!isAdmin && await guard.RefusesAsync(http))
            return;
        if (route is null)
            await NotFoundAsync(http, path);
        else if (route.TryGetValue(method, out var handler))
            await RunAsync(http, handler);
        else
            await HttpReply.TextAsync(http, 405, "text/plain", "405 method not allowed");
    }

    private async Task RunAsync(HttpContext http, RequestDelegate handler)
    {
        try
        {
            await handler(http);
        }
        catch (ApiException error) when (!http.Response.HasStarted)
        {
            stats.Error();
            await HttpReply.ErrorAsync(http, error.Status, error.Message);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The client left; there is nobody to tell. Counted where it matters.
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // A fault of the double itself must not pass for one of the server's.
            stats.Error();
            await Console.Error.WriteLineAsync($"ollama-double: {http.Request.Method} {http.Request.Path} failed: {error}");
            if (http.Response.HasStarted)
                http.Abort();
            else
                await HttpReply.ErrorAsync(http, 500, $"ollama-double itself failed: {error.Message}");
        }
    }

    private async Task NotFoundAsync(HttpContext http, string path)
    {
        var (status, words, target) = path.Contains("//", StringComparison.Ordinal)
            ? (307, "Temporary Redirect", string.Join('/', path.Split('/').Where((part, i) => i == 0 || part.Length > 0)))
            : path.Length > 1 && path.EndsWith('/') && Find(path[..^1]) is not null
                ? (HttpMethods.IsGet(http.Request.Method) ? 301 : 307, HttpMethods.IsGet(http.Request.Method) ? "Moved Permanently" : "Temporary Redirect", path[..^1])
                : (404, "", "");
        if (status == 404 || Find(target) is null)
        {
            await HttpReply.TextAsync(http, 404, "text/plain", "404 page not found");
            return;
        }
        http.Response.Headers.Location = target;
        await HttpReply.TextAsync(http, status, "text/html; charset=utf-8", $"<a href=\"{target}\">{words}</a>.\n\n");
    }

    private Dictionary<string, RequestDelegate>? Find(string path) =>
        _routes.TryGetValue(path, out var route)
            ? route
            : _prefixes.FirstOrDefault(known => path.StartsWith(known.Prefix, StringComparison.Ordinal)).Methods;

    private static void Add(Dictionary<string, RequestDelegate> route, string methods, RequestDelegate handler)
    {
        foreach (var method in methods.Split(' '))
            route[method] = handler;
    }
}

using System.Collections.Frozen;
using System.Text;
using Lekhika.Daemon.Http;

namespace Lekhika.Daemon.Dashboard;

// The dashboard is one page: index.html, one style sheet and ES modules, embedded in the binary. It reads the same HTTP interface as
// everybody else, with the session's cookie; nothing is rendered here, so whatever a workflow or a model wrote only ever meets textContent in the browser.
// The headers below keep it so: no inline script or style, no other host, no frame, and no way for the page itself to turn text into markup.

/// <summary><c>GET /</c> and <c>GET /ui/…</c>: the files of the dashboard. They hold nothing that is secret and need no sign-in.</summary>
internal sealed class PageEndpoint
{
    private const string Policy =
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        + "require-trusted-types-for 'script'; trusted-types 'none'";

    private const string Folder = "page/";
    private readonly Lazy<FrozenDictionary<string, PageFile>> _files = new(Read);

    public Task IndexAsync(HttpContext context) => ServeAsync(context, "index.html");

    public Task FileAsync(HttpContext context) => ServeAsync(context, (string?)context.Request.RouteValues["name"] ?? "");

    private async Task ServeAsync(HttpContext context, string name)
    {
        if (!_files.Value.TryGetValue(name, out var file))
            throw new RequestException(StatusCodes.Status404NotFound, HttpErrorCodes.RouteNotFound, $"The dashboard has no file '{name}'.");
        var (bytes, encoding, tag) = file.For(context.Request.Headers.AcceptEncoding.ToString());
        var response = context.Response;
        response.Headers.ContentSecurityPolicy = Policy;
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers.XFrameOptions = "DENY";
        response.Headers["Cross-Origin-Opener-Policy"] = "same-origin";
        response.Headers.Vary = "Accept-Encoding";
        response.Headers.ETag = tag;
        // Asked for anew each time, answered with 304 nearly always: after an upgrade nobody mixes two versions.
        response.Headers.CacheControl = "no-cache";
        if (context.Request.Headers.IfNoneMatch.ToString().Contains(tag, StringComparison.Ordinal))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        response.ContentType = file.ContentType;
        response.ContentLength = bytes.Length;
        if (encoding is not null) response.Headers.ContentEncoding = encoding;
        if (HttpMethods.IsHead(context.Request.Method)) return;
        await response.Body.WriteAsync(bytes, context.RequestAborted);
    }

    private static FrozenDictionary<string, PageFile> Read()
    {
        var assembly = typeof(PageEndpoint).Assembly;
        var files = new Dictionary<string, PageFile>(StringComparer.Ordinal);
        foreach (var resource in assembly.GetManifestResourceNames())
        {
            if (!resource.StartsWith(Folder, StringComparison.Ordinal)) continue;
            using var stream = assembly.GetManifestResourceStream(resource)!;
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            if (resource.EndsWith(".js", StringComparison.Ordinal) || resource.EndsWith(".css", StringComparison.Ordinal)) content = WithoutMargin(content, resource.EndsWith(".css", StringComparison.Ordinal));
            files[resource[Folder.Length..]] = new PageFile(TypeOf(resource), content);
        }

        return files.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>Indents and lines of comment are for those who read the source; nothing in it depends on them (no text there has a line break).</summary>
    private static byte[] WithoutMargin(byte[] content, bool isStyle)
    {
        var to = new StringBuilder(content.Length);
        foreach (var line in Encoding.UTF8.GetString(content).AsSpan().EnumerateLines())
        {
            var text = line.TrimStart();
            if (text.IsEmpty || text.StartsWith("//", StringComparison.Ordinal) || text.StartsWith("/** ", StringComparison.Ordinal)) continue;
            to.Append(text);
            // In a style sheet only what goes on in the next line needs the space.
            if (!isStyle || text[^1] is not ('{' or '}' or ';' or ',')) to.Append('\n');
        }

        return Encoding.UTF8.GetBytes(to.ToString());
    }

    private static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => "application/octet-stream",
    };
}

using System.Text;
using System.Text.Json.Serialization.Metadata;

namespace Lekhika.Doubles;

/// <summary>Plain replies as Go's server frames them: a length up to 2048 bytes, chunks beyond.</summary>
internal static class HttpReply
{
    public const string Json = "application/json; charset=utf-8";
    public const string BareJson = "application/json";
    private const int LongestWithLength = 2048;

    public static async Task WriteAsync(HttpContext http, int status, string? contentType, byte[] body, CancellationToken cancellationToken)
    {
        http.Response.StatusCode = status;
        if (contentType is not null)
            http.Response.ContentType = contentType;
        if (status == 204)
            return;
        if (body.Length <= LongestWithLength || HttpMethods.IsHead(http.Request.Method))
            http.Response.ContentLength = body.Length;
        if (body.Length > 0 && !HttpMethods.IsHead(http.Request.Method))
            await http.Response.Body.WriteAsync(body, cancellationToken);
    }

    public static Task JsonAsync<T>(HttpContext http, int status, T value, JsonTypeInfo<T> type, string contentType = Json) =>
        WriteAsync(http, status, contentType, WireJson.Bytes(value, type), http.RequestAborted);

    public static Task ErrorAsync(HttpContext http, int status, string message, string contentType = Json) =>
        JsonAsync(http, status, new WireError(message), WireJson.Go.WireError, contentType);

    public static Task TextAsync(HttpContext http, int status, string contentType, string text) =>
        WriteAsync(http, status, contentType, Encoding.UTF8.GetBytes(text), http.RequestAborted);

    public static Task EmptyAsync(HttpContext http, int status) => WriteAsync(http, status, null, [], http.RequestAborted);

    /// <summary>A stream of ready lines.</summary>
    public static async Task LinesAsync(HttpContext http, IEnumerable<byte[]> lines)
    {
        http.Response.ContentType = "application/x-ndjson";
        foreach (var line in lines)
        {
            await http.Response.Body.WriteAsync(line, http.RequestAborted);
            await http.Response.Body.FlushAsync(http.RequestAborted);
        }
    }
}

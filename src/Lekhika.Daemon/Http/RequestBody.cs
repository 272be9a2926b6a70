using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;
using Lekhika.Daemon.Dispatch;

namespace Lekhika.Daemon.Http;

/// <summary>A request's JSON object, bounded in size and depth, and free of what the database could not store.</summary>
internal sealed class RequestBody : IDisposable
{
    private const int FirstBuffer = 16 * 1024;
    private const int MaxDepth = 256;
    private readonly JsonDocument _document;
    private byte[]? _buffer;

    private RequestBody(JsonDocument document, byte[] buffer)
    {
        _document = document;
        _buffer = buffer;
    }

    /// <summary>The object; valid until this is disposed.</summary>
    public JsonElement Root => _document.RootElement;

    /// <summary>Reads the body. Kestrel stops it with a 413 where it grows over the limit, however it is framed.</summary>
    /// <exception cref="RequestException">It is not a JSON object.</exception>
    public static async Task<RequestBody> ReadAsync(HttpContext context)
    {
        RefuseForeignTypes(context.Request);
        var (buffer, length) = await ReadBytesAsync(context);
        try
        {
            return new RequestBody(Parse(buffer.AsMemory(0, length)), buffer);
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }
    }

    /// <summary>The same where a body may be left out; null if it is.</summary>
    /// <exception cref="RequestException">It is there and not a JSON object.</exception>
    public static async Task<RequestBody?> ReadOptionalAsync(HttpContext context)
    {
        if (context.Request.ContentLength == 0) return null;
        if (context.Request.ContentLength is null)
        {
            // Whether a body without a length holds anything is known once it is looked into.
            var begun = await context.Request.BodyReader.ReadAsync(context.RequestAborted);
            context.Request.BodyReader.AdvanceTo(begun.Buffer.Start);
            if (begun.Buffer.IsEmpty && begun.IsCompleted) return null;
        }

        return await ReadAsync(context);
    }

    public void Dispose()
    {
        _document.Dispose();
        if (Interlocked.Exchange(ref _buffer, null) is { } buffer) ArrayPool<byte>.Shared.Return(buffer);
    }

    private static async Task<(byte[] Buffer, int Length)> ReadBytesAsync(HttpContext context)
    {
        var announced = (int)Math.Min(context.Request.ContentLength ?? 0, 1 << 20);
        var buffer = ArrayPool<byte>.Shared.Rent(Math.Max(FirstBuffer, announced + 1));
        var length = 0;
        try
        {
            while (true)
            {
                var read = await context.Request.Body.ReadAsync(buffer.AsMemory(length), context.RequestAborted);
                if (read == 0) return (buffer, length);
                length += read;
                if (length < buffer.Length) continue;
                var larger = ArrayPool<byte>.Shared.Rent(checked(buffer.Length * 2));
                buffer.AsSpan(0, length).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(buffer);
                buffer = larger;
            }
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }
    }

    private static JsonDocument Parse(ReadOnlyMemory<byte> utf8)
    {
        // Some clients begin with a byte order mark.
        if (utf8.Span.StartsWith("\uFEFF"u8)) utf8 = utf8[3..];
        if (utf8.IsEmpty) throw Malformed("The body is empty; expected a JSON object.");
        if (!Utf8.IsValid(utf8.Span)) throw Malformed("The body is not valid UTF-8.");

        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(utf8, new JsonDocumentOptions { MaxDepth = MaxDepth });
        }
        catch (JsonException exception)
        {
            throw Malformed(string.Create(
                CultureInfo.InvariantCulture,
                $"The body is not valid JSON at line {exception.LineNumber + 1}, column {exception.BytePositionInLine + 1}: {Reason(exception)}"));
        }

        try
        {
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw Malformed($"The body is {JsonKinds.Describe(document.RootElement)}; expected a JSON object.");
            RefuseUnstorable(document.RootElement);
            return document;
        }
        catch
        {
            document.Dispose();
            throw;
        }
    }

    private static void RefuseUnstorable(JsonElement root)
    {
        if (!Unstorable.IsIn(root)) return;
        var path = "";
        foreach (var property in root.EnumerateObject())
        {
            if (!Unstorable.IsIn(property.Value)) continue;
            path = property.Name;
            break;
        }

        const string message = "it holds \\u0000 or half of a surrogate pair, which the database cannot store";
        throw new RequestException(
            StatusCodes.Status400BadRequest, HttpErrorCodes.InvalidRequest, $"{(path.Length == 0 ? "The body" : path)}: {message}.")
        {
            Problems = [new FieldProblem(path, message)],
        };
    }

    // The framework's text ends with its own count of the place, from zero.
    private static string Reason(JsonException exception)
    {
        var at = exception.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return at < 0 ? exception.Message : exception.Message[..at];
    }

    private static RequestException Malformed(string message) => new(StatusCodes.Status400BadRequest, HttpErrorCodes.MalformedJson, message);

    // Missing and mistaken content types are common (curl -d says it is a form) and do no harm; these cannot be JSON.
    private static void RefuseForeignTypes(HttpRequest request)
    {
        var type = request.ContentType ?? "";
        foreach (var foreign in (ReadOnlySpan<string>)["multipart/", "image/", "audio/", "video/"])
        {
            if (type.StartsWith(foreign, StringComparison.OrdinalIgnoreCase))
                throw Unsupported($"A body of type {foreign}… cannot be read; send JSON with Content-Type: application/json.");
        }

        var encoding = request.Headers.ContentEncoding.ToString();
        if (encoding.Length > 0 && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
            throw Unsupported("Compressed bodies are not read; send the JSON as it is, without Content-Encoding.");
    }

    private static RequestException Unsupported(string message) => new(StatusCodes.Status415UnsupportedMediaType, HttpErrorCodes.UnsupportedBody, message);
}

/// <summary>JSON's kinds of values in words.</summary>
internal static class JsonKinds
{
    public static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        _ => "null",
    };
}

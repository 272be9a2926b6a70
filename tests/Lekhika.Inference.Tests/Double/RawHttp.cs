using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Lekhika.Inference.Tests.Double;

/// <summary>What came back on a connection.</summary>
public sealed record RawReply(int Status, IReadOnlyDictionary<string, string> Headers, string Body, bool Complete);

/// <summary>HTTP by hand, so that a request goes out exactly as it was recorded.</summary>
public static class RawHttp
{
    public static async Task<RawReply> SendAsync(Uri address, RecordedExchange exchange, byte[] body, CancellationToken cancellationToken)
    {
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(address.Host, address.Port, cancellationToken);
        await using var stream = client.GetStream();
        var hasHost = exchange.RequestHeaders.Any(header => header.Key == "Host");
        var head = new StringBuilder().Append(exchange.Method).Append(' ').Append(exchange.Path).Append(hasHost && !IsHttp10(exchange) ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
        foreach (var (name, value) in exchange.RequestHeaders)
        {
            var sent = name == "Content-Length" && exchange.Name != "41-content-length-too-short" ? body.Length.ToString(CultureInfo.InvariantCulture) : value;
            head.Append(name).Append(": ").Append(sent).Append("\r\n");
        }
        head.Append("\r\n");
        await stream.WriteAsync(Encoding.Latin1.GetBytes(head.ToString()), cancellationToken);
        await stream.WriteAsync(body, cancellationToken);
        return await ReadAsync(stream, exchange.Method == "HEAD", cancellationToken);
    }

    private static bool IsHttp10(RecordedExchange exchange) => exchange.Name.Contains("http10", StringComparison.Ordinal);

    private static async Task<RawReply> ReadAsync(Stream stream, bool headOnly, CancellationToken cancellationToken)
    {
        using var reader = new BufferedStream(stream);
        var status = 0;
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        do
        {
            headers.Clear();
            var line = await LineAsync(reader, cancellationToken) ?? throw new IOException("the connection ended before a status line");
            status = int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
            while (await LineAsync(reader, cancellationToken) is { Length: > 0 } header)
            {
                var colon = header.IndexOf(':', StringComparison.Ordinal);
                headers[header[..colon]] = header[(colon + 1)..].Trim();
            }
        }
        while (status == 100);
        using var body = new MemoryStream();
        var complete = true;
        if (!headOnly && status != 204)
        {
            if (headers.TryGetValue("Transfer-Encoding", out var coding) && coding == "chunked")
                complete = await ChunksAsync(reader, body, cancellationToken);
            else if (headers.TryGetValue("Content-Length", out var length))
                complete = await TakeAsync(reader, body, int.Parse(length, CultureInfo.InvariantCulture), cancellationToken);
            else
                await reader.CopyToAsync(body, cancellationToken);
        }
        return new RawReply(status, headers, Encoding.UTF8.GetString(body.ToArray()), complete);
    }

    private static async Task<bool> ChunksAsync(Stream reader, MemoryStream body, CancellationToken cancellationToken)
    {
        while (await LineAsync(reader, cancellationToken) is { } size)
        {
            var length = int.Parse(size, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (length == 0)
                return true;
            if (!await TakeAsync(reader, body, length, cancellationToken))
                return false;
            await LineAsync(reader, cancellationToken);
        }
        return false;
    }

    private static async Task<bool> TakeAsync(Stream reader, MemoryStream body, int length, CancellationToken cancellationToken)
    {
        var buffer = new byte[length];
        var read = await reader.ReadAtLeastAsync(buffer, length, throwOnEndOfStream: false, cancellationToken);
        body.Write(buffer, 0, read);
        return read == length;
    }

    private static async Task<string?> LineAsync(Stream reader, CancellationToken cancellationToken)
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (await reader.ReadAsync(one, cancellationToken) == 1)
        {
            if (one[0] == '\n')
                return line.ToString().TrimEnd('\r');
            line.Append((char)one[0]);
        }
        return line.Length > 0 ? line.ToString() : null;
    }
}

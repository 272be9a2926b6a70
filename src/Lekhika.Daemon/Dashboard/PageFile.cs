using System.IO.Compression;
using System.Security.Cryptography;

namespace Lekhika.Daemon.Dashboard;

/// <summary>One file of the page: its bytes, and the same compressed, made when first asked for.</summary>
internal sealed class PageFile
{
    private readonly Lazy<byte[]> _brotli;
    private readonly Lazy<byte[]> _gzip;
    private readonly string _hash;

    public PageFile(string contentType, byte[] content)
    {
        (ContentType, Content) = (contentType, content);
        _hash = Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 10));
        _brotli = new Lazy<byte[]>(() => Compressed(static to => new BrotliStream(to, CompressionLevel.Optimal)));
        _gzip = new Lazy<byte[]>(() => Compressed(static to => new GZipStream(to, CompressionLevel.Optimal)));
    }

    public string ContentType { get; }

    public byte[] Content { get; }

    /// <summary>The bytes in the best form the client takes.</summary>
    /// <param name="accepted">The request's <c>Accept-Encoding</c>.</param>
    /// <returns>The bytes, the name of their encoding (null for none), and their entity tag.</returns>
    public (byte[] Bytes, string? Encoding, string Tag) For(string accepted)
    {
        if (Takes(accepted, "br")) return (_brotli.Value, "br", $"\"{_hash}-br\"");
        if (Takes(accepted, "gzip")) return (_gzip.Value, "gzip", $"\"{_hash}-gz\"");
        return (Content, null, $"\"{_hash}\"");
    }

    private static bool Takes(string accepted, string encoding)
    {
        foreach (var range in accepted.AsSpan().Split(','))
        {
            var item = accepted.AsSpan(range).Trim();
            var end = item.IndexOf(';');
            var name = end < 0 ? item : item[..end].TrimEnd();
            if (!name.Equals(encoding, StringComparison.OrdinalIgnoreCase)) continue;
            var weight = end < 0 ? default : item[(end + 1)..].Trim();
            return weight is not ("q=0" or "q=0.0" or "q=0.00" or "q=0.000");
        }

        return false;
    }

    private byte[] Compressed(Func<Stream, Stream> compressor)
    {
        using var to = new MemoryStream();
        using (var stream = compressor(to)) stream.Write(Content);
        return to.ToArray();
    }
}

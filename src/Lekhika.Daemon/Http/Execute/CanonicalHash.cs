using System.Security.Cryptography;
using System.Text.Json;

namespace Lekhika.Daemon.Http.Execute;

/// <summary>
/// A hash of JSON that does not depend on the order of keys, on blanks or on how characters are escaped. Of keys that occur twice the last counts,
/// as it does for jsonb.
/// </summary>
internal static class CanonicalHash
{
    /// <summary>SHA-256 over an array of the values, of which the first 128 bits are kept: they are what the database compares.</summary>
    public static Guid Of(params ReadOnlySpan<JsonElement?> values)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using (var sink = new HashStream(hash))
        using (var writer = new Utf8JsonWriter(sink, new JsonWriterOptions { SkipValidation = true }))
        {
            writer.WriteStartArray();
            foreach (var value in values)
            {
                if (value is { } there) Write(writer, there);
                else writer.WriteNullValue();
            }

            writer.WriteEndArray();
        }

        Span<byte> full = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(full);
        return new Guid(full[..16], bigEndian: true);
    }

    private static void Write(Utf8JsonWriter writer, JsonElement value)
    {
        if (writer.BytesPending > 32 * 1024) writer.Flush();
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                var properties = new SortedDictionary<string, JsonElement>(StringComparer.Ordinal);
                foreach (var property in value.EnumerateObject()) properties[property.Name] = property.Value;
                writer.WriteStartObject();
                foreach (var (name, inner) in properties)
                {
                    writer.WritePropertyName(name);
                    Write(writer, inner);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray()) Write(writer, item);
                writer.WriteEndArray();
                break;
            case JsonValueKind.String:
                writer.WriteStringValue(value.GetString());
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }

    private sealed class HashStream(IncrementalHash hash) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> buffer) => hash.AppendData(buffer);

        public override void Write(byte[] buffer, int offset, int count) => hash.AppendData(buffer, offset, count);

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}

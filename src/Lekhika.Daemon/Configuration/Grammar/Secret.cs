using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace Lekhika.Daemon.Configuration;

/// <summary>A text that must not reach a log, an error or a reply: it prints as <c>***</c> until <see cref="Reveal"/> is asked.</summary>
[DebuggerDisplay("***")]
internal sealed class Secret(string value)
{
    /// <summary>What a secret is printed as.</summary>
    public const string Mask = "***";

    /// <summary>The text itself, for the one place that needs it.</summary>
    public string Reveal() => value;

    /// <summary>Whether <paramref name="offered"/> is this secret, in a time that does not depend on where they differ.</summary>
    public bool Matches(ReadOnlySpan<char> offered)
    {
        Span<byte> expected = stackalloc byte[SHA256.HashSizeInBytes];
        Span<byte> actual = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(value), expected);
        var bytes = new byte[Encoding.UTF8.GetByteCount(offered)];
        Encoding.UTF8.GetBytes(offered, bytes);
        SHA256.HashData(bytes, actual);
        return CryptographicOperations.FixedTimeEquals(expected, actual);
    }

    public override string ToString() => Mask;
}

using System.Security.Cryptography;
using System.Text;
using Lekhika.Daemon.Configuration;

namespace Lekhika.Daemon.Doctor;

/// <summary>Is the secret that a caller has (an edge function, a backend) the one configured here?</summary>
internal static class CallerSecretCheck
{
    private const string Name = "caller";

    public static Check Of(AuthOptions auth, string? offered)
    {
        if (auth.InternalSecret is not { } secret) return Check.Skipped(Name, "no secret is configured, so callers need none");
        if (offered is null)
        {
            return Check.Skipped(Name,
                "the caller's secret was not given; compare with: printf %s \"$INTERNAL_API_SECRET\" | lekhika-daemon doctor --caller-secret-file -");
        }

        var trimmed = offered.TrimEnd('\n', '\r');
        if (trimmed.Length == 0)
        {
            return Check.Failed(Name, "the caller has no secret: what was given is empty",
                "set INTERNAL_API_SECRET where the caller runs (supabase secrets set INTERNAL_API_SECRET=…) to the secret of this daemon");
        }

        if (secret.Matches(trimmed)) return Check.Ok(Name, "the caller's secret is the daemon's");
        return Check.Failed(Name,
            secret.Matches(trimmed.Trim())
                ? "the caller's secret has blanks around it"
                : $"the caller's secret is another one (SHA-256 begins with {Fingerprint(trimmed)}, here {Fingerprint(secret.Reveal())})",
            "give both sides the same, with nothing before or after it: set INTERNAL_API_SECRET where the caller runs (supabase secrets set …) to what /etc/lekhika-daemon/credentials/internal-secret holds");
    }

    /// <summary>Enough of a digest to compare by eye, and no use for finding the secret if it is a good one.</summary>
    public static string Fingerprint(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)).AsSpan(0, 4));
}

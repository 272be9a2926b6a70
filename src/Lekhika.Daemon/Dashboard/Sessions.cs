using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Lekhika.Daemon.Dashboard;

// A session is begun by the secret and shown by a cookie from then on:
//
//   POST /session ─► token (32 random bytes) ─► the browser, as an HttpOnly cookie
//                       └─► its SHA-256 ─► here, in memory
//
// Memory holds hashes only, so that a dump of it opens nothing. It is bounded; when it is full, the session that was used longest ago ends. A daemon that
// starts again knows no sessions: its people sign in again. Nothing of it is in the database, so another daemon does not know them either.

/// <summary>The sessions of browsers. Thread-safe.</summary>
internal sealed class Sessions(TimeProvider time)
{
    /// <summary>A session that is not used for so long ends.</summary>
    public static readonly TimeSpan Idle = TimeSpan.FromHours(8);

    /// <summary>However much it is used, it ends after that.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(7);

    private const int MostOpen = 1000;
    private const int TokenBytes = 32;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Session> _byHash = new(StringComparer.Ordinal);

    /// <summary>Number of sessions that were not seen to have ended.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _byHash.Count;
        }
    }

    /// <summary>Begins a session; the answer is its token, which is kept nowhere else.</summary>
    public string Begin(Role role)
    {
        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenBytes));
        var now = time.GetTimestamp();
        lock (_lock)
        {
            if (_byHash.Count >= MostOpen) MakeRoom();
            _byHash[HashOf(token)] = new Session(role, now) { UsedAt = now };
        }

        return token;
    }

    /// <summary>The role of a session that is still open, which counts as a use of it; null for others.</summary>
    public Role? Use(string token)
    {
        if (token.Length > 2 * TokenBytes) return null;
        var hash = HashOf(token);
        lock (_lock)
        {
            if (!_byHash.TryGetValue(hash, out var session)) return null;
            if (IsOver(session))
            {
                _byHash.Remove(hash);
                return null;
            }

            session.UsedAt = time.GetTimestamp();
            return session.Role;
        }
    }

    public void End(string token)
    {
        lock (_lock) _byHash.Remove(HashOf(token));
    }

    private bool IsOver(Session session) => time.GetElapsedTime(session.UsedAt) >= Idle || time.GetElapsedTime(session.BegunAt) >= Longest;

    private void MakeRoom()
    {
        foreach (var (hash, _) in _byHash.Where(pair => IsOver(pair.Value)).ToList()) _byHash.Remove(hash);
        while (_byHash.Count >= MostOpen) _byHash.Remove(_byHash.MinBy(static pair => pair.Value.UsedAt).Key);
    }

    private static string HashOf(string token) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    private sealed class Session(Role role, long begunAt)
    {
        public Role Role => role;

        public long BegunAt => begunAt;

        public long UsedAt { get; set; }
    }
}

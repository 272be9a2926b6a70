using System.Security.Cryptography;
using System.Text;

namespace Lekhika.Daemon.Nodes.Secrets;

/// <summary>
/// The text that stands for a secret until its value is put in its place. Lower-case letters and digits, so that it goes through addresses, headers
/// and JSON unchanged; with a part that is drawn anew for each process, so that nobody can write one.
/// </summary>
internal static class StandIn
{
    private static readonly string Begin = "lekhikasecret" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)) + "x";

    /// <summary>The stand-in of a secret. It ends in a letter that no hexadecimal number has, so none is the beginning of another.</summary>
    public static string Of(string name) => Begin + Convert.ToHexStringLower(Encoding.UTF8.GetBytes(name)) + "z";
}

using System.Net;
using System.Net.Sockets;

namespace Lekhika.Daemon.Nodes.Calls;

/// <summary>
/// Which addresses a workflow must not reach by itself: everything that is not public unicast (IANA's special-purpose registries). Of IPv6 only
/// 2000::/3 is public; addresses that carry an IPv4 address inside are judged by that one.
/// </summary>
internal static class AddressRules
{
    private static readonly (IPNetwork Network, string What)[] Special4 =
    [
        (IPNetwork.Parse("0.0.0.0/8"), "an unspecified address"),
        (IPNetwork.Parse("10.0.0.0/8"), "a private address"),
        (IPNetwork.Parse("100.64.0.0/10"), "a carrier-grade NAT address"),
        (IPNetwork.Parse("127.0.0.0/8"), "a loopback address"),
        (IPNetwork.Parse("169.254.0.0/16"), "a link-local or metadata address"),
        (IPNetwork.Parse("172.16.0.0/12"), "a private address"),
        (IPNetwork.Parse("192.0.0.0/24"), "a special-purpose address"),
        (IPNetwork.Parse("192.0.2.0/24"), "a documentation address"),
        (IPNetwork.Parse("192.88.99.0/24"), "a special-purpose address"),
        (IPNetwork.Parse("192.168.0.0/16"), "a private address"),
        (IPNetwork.Parse("198.18.0.0/15"), "a benchmarking address"),
        (IPNetwork.Parse("198.51.100.0/24"), "a documentation address"),
        (IPNetwork.Parse("203.0.113.0/24"), "a documentation address"),
        (IPNetwork.Parse("224.0.0.0/4"), "a multicast address"),
        (IPNetwork.Parse("240.0.0.0/4"), "a reserved or broadcast address"),
    ];

    private static readonly (IPNetwork Network, string What)[] Special6 =
    [
        (IPNetwork.Parse("::/128"), "an unspecified address"),
        (IPNetwork.Parse("::1/128"), "a loopback address"),
        (IPNetwork.Parse("fc00::/7"), "a private address"),
        (IPNetwork.Parse("fe80::/10"), "a link-local address"),
        (IPNetwork.Parse("ff00::/8"), "a multicast address"),
        (IPNetwork.Parse("2001::/23"), "a special-purpose address"),
        (IPNetwork.Parse("2001:db8::/32"), "a documentation address"),
        (IPNetwork.Parse("3fff::/20"), "a documentation address"),
    ];

    private static readonly IPNetwork Public6 = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");
    private static readonly IPNetwork Compatible = IPNetwork.Parse("::/96");

    /// <summary>What the address is, if it is none of the public ones; else null.</summary>
    public static string? Objection(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (address.AddressFamily == AddressFamily.InterNetwork) return Find(Special4, address);
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return "no IP address";
        if (Find(Special6, address) is { } special) return special;
        var bytes = address.GetAddressBytes();
        if (Nat64.Contains(address) || Compatible.Contains(address)) return Find(Special4, new IPAddress(bytes.AsSpan(12, 4)));
        if (SixToFour.Contains(address)) return Find(Special4, new IPAddress(bytes.AsSpan(2, 4)));
        return Public6.Contains(address) ? null : "a reserved address";
    }

    private static string? Find((IPNetwork Network, string What)[] list, IPAddress address)
    {
        foreach (var (network, what) in list)
        {
            if (network.Contains(address)) return what;
        }

        return null;
    }
}

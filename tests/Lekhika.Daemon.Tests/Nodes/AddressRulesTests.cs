using System.Net;
using Lekhika.Daemon.Nodes.Calls;
using Xunit;

namespace Lekhika.Daemon.Tests.Nodes;

public sealed class AddressRulesTests
{
    [Theory]
    [InlineData("8.8.8.8")]
    [InlineData("172.15.255.255")]
    [InlineData("172.32.0.0")]
    [InlineData("100.63.255.255")]
    [InlineData("100.128.0.0")]
    [InlineData("223.255.255.255")]
    [InlineData("2606:4700:4700::1111")]
    [InlineData("2a01:4f8::1")]
    [InlineData("::ffff:8.8.8.8")]
    [InlineData("64:ff9b::808:808")]
    [InlineData("2002:808:808::1")]
    public void Public_addresses_are_open(string address) => Assert.Null(AddressRules.Objection(IPAddress.Parse(address)));

    [Theory]
    [InlineData("127.0.0.1", "loopback")]
    [InlineData("127.255.255.254", "loopback")]
    [InlineData("::1", "loopback")]
    [InlineData("::ffff:127.0.0.1", "loopback")]
    [InlineData("::ffff:a9fe:a9fe", "metadata")]
    [InlineData("::127.0.0.1", "loopback")]
    [InlineData("64:ff9b::a00:1", "private")]
    [InlineData("2002:7f00:1::", "loopback")]
    [InlineData("0.0.0.0", "unspecified")]
    [InlineData("::", "unspecified")]
    [InlineData("10.255.255.255", "private")]
    [InlineData("172.16.0.0", "private")]
    [InlineData("192.168.255.255", "private")]
    [InlineData("fd12::1", "private")]
    [InlineData("100.64.0.0", "carrier-grade")]
    [InlineData("100.127.255.255", "carrier-grade")]
    [InlineData("169.254.169.254", "metadata")]
    [InlineData("fe80::1%1", "link-local")]
    [InlineData("fec0::1", "reserved")]
    [InlineData("239.1.1.1", "multicast")]
    [InlineData("ff02::1", "multicast")]
    [InlineData("255.255.255.255", "broadcast")]
    [InlineData("2001:db8::1", "documentation")]
    [InlineData("2001::1", "special-purpose")]
    [InlineData("4000::1", "reserved")]
    public void All_others_are_closed_and_named(string address, string what) =>
        Assert.Contains(what, AddressRules.Objection(IPAddress.Parse(address)), StringComparison.Ordinal);
}

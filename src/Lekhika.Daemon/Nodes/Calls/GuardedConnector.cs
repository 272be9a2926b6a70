using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Lekhika.Daemon.Configuration;

namespace Lekhika.Daemon.Nodes.Calls;

/// <summary>
/// Connects where a workflow asks to go, unless the address is not public and the configuration does not allow it. The check is made on the very
/// address that is connected to, for each connection: so neither a name that resolves otherwise a moment later nor a redirect gets round it.
/// </summary>
internal sealed class GuardedConnector(ImmutableArray<AllowedDestination> allowed, TimeProvider time)
{
    /// <summary>Longest try of one address when a name has several.</summary>
    private static readonly TimeSpan AddressLimit = TimeSpan.FromSeconds(10);

    /// <exception cref="ForbiddenDestinationException">All addresses of the host are forbidden.</exception>
    /// <exception cref="SocketException">None of them can be reached.</exception>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var host = context.DnsEndPoint.Host;
        var port = context.DnsEndPoint.Port;
        var addresses = IPAddress.TryParse(host.Trim('[', ']'), out var literal) ? [literal] : await Dns.GetHostAddressesAsync(host, cancellationToken);
        string? refusal = null;
        SocketException? failure = null;
        foreach (var address in addresses)
        {
            if (Refusal(host, port, address) is { } why)
            {
                refusal ??= why;
                continue;
            }

            try
            {
                return await ConnectAsync(new IPEndPoint(address, port), cancellationToken);
            }
            catch (SocketException exception)
            {
                failure = exception;
            }
        }

        if (failure is null && refusal is not null) throw new ForbiddenDestinationException(refusal);
        throw failure ?? new SocketException((int)SocketError.HostNotFound);
    }

    private string? Refusal(string host, int port, IPAddress address)
    {
        if (AddressRules.Objection(address) is not { } what || allowed.Any(entry => entry.Allows(host, port, address))) return null;
        var shown = host.Trim('[', ']') == address.ToString() ? host : $"{host} ({address})";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{shown} is {what}, which http nodes may not reach. If it is meant, allow it in the configuration: [http] allow = {host}:{port}");
    }

    private async Task<NetworkStream> ConnectAsync(IPEndPoint endPoint, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(AddressLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endPoint, either.Token);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            socket.Dispose();
            throw new SocketException((int)SocketError.TimedOut);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>The destination of a call is not allowed; the message says which and why.</summary>
internal sealed class ForbiddenDestinationException(string message) : Exception(message);

using System.CommandLine;
using System.Text.Json;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Hosting;

namespace Lekhika.Daemon.Cli.Remote;

// Commands that ask a running daemon. Which one, and with what secret, is read from the same configuration that the daemon reads, so that on its own
// machine nothing need be given; --url and --secret-file name another. Exit codes: 0 done; 1 refused, or what was waited for ended badly;
// 2 the command line; 69 no daemon answers, or it cannot serve just now; 78 the configuration.

/// <summary>What a command works with.</summary>
internal sealed record RemoteSession(CommandContext Context, DaemonClient Daemon, ParseResult Parsed, bool Json, TimeProvider Time)
{
    /// <summary>Writes what the daemon answered, for programs.</summary>
    public void WriteJson(JsonElement reply) => Context.Output.Write(reply.GetRawText() + "\n");
}

/// <summary>A command that asks a running daemon.</summary>
internal sealed class RemoteCommand : ExampleCommand
{
    private readonly CommandContext _context;
    private readonly Option<string?> _url = new("--url")
    {
        Description = "The daemon's address [default: that of the configuration]",
        HelpName = "URL",
    };

    private readonly Option<string?> _secretFile = new("--secret-file")
    {
        Description = "File with the internal secret [default: that of the configuration]",
        HelpName = "FILE",
    };

    private readonly Option<bool> _json = new("--json") { Description = "Write what the daemon answers, in JSON" };

    public RemoteCommand(CommandContext context, string name, string description, Func<RemoteSession, CancellationToken, Task<int>> run)
        : base(name, description)
    {
        _context = context;
        Add(_url);
        Add(_secretFile);
        Add(_json);
        SetAction((parsed, cancellation) => Interruptible.RunAsync(token => RunAsync(parsed, run, token), cancellation));
    }

    private async Task<int> RunAsync(ParseResult parsed, Func<RemoteSession, CancellationToken, Task<int>> run, CancellationToken cancellationToken)
    {
        try
        {
            if (await ConnectAsync(parsed, cancellationToken) is not { } daemon) return ExitCodes.Configuration;
            using (daemon)
            {
                var code = await run(new RemoteSession(_context, daemon, parsed, parsed.GetValue(_json), TimeProvider.System), cancellationToken);
                await _context.Output.FlushAsync(cancellationToken);
                return code;
            }
        }
        catch (RemoteException exception)
        {
            if (parsed.GetValue(_json) && exception.Reply is { } reply) _context.Output.Write(reply.GetRawText() + "\n");
            foreach (var line in exception.Message.Split('\n')) ProblemReport.Error(_context, JsonReading.Plain(line));
            return exception.ExitCode;
        }
    }

    /// <summary>The daemon to ask; null if that cannot be told, which has been said.</summary>
    private async Task<DaemonClient?> ConnectAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        Uri? address = null;
        if (parsed.GetValue(_url) is { } url && (!Uri.TryCreate(url, UriKind.Absolute, out address) || address.Scheme is not ("http" or "https")))
            throw new RemoteException(ExitCodes.Usage, $"--url wants an address such as http://127.0.0.1:3001; got \"{url}\".");
        string? secret = null;
        if (parsed.GetValue(_secretFile) is { } file) secret = await SecretAsync(file, cancellationToken);

        DaemonOptions? options = null;
        if (address is null || secret is null)
        {
            if (LoadedConfiguration.Load(_context, parsed, ConfigurationPurpose.Try) is not { } configuration) return null;
            options = configuration.Options;
        }

        secret ??= options?.Auth.InternalSecret?.Reveal();
        if (address is not null) return new DaemonClient(address, socket: null, secret);
        var listen = options!.Server.Urls;
        if (listen.Length > 0) return new DaemonClient(Reachable(listen[0]), socket: null, secret);
        if (options.Server.Socket is { } socket) return new DaemonClient(new Uri("http://localhost/"), socket, secret);
        throw new RemoteException(ExitCodes.Configuration, "the configuration names no address (server.url) and no socket (server.socket); --url names one.");
    }

    private static async Task<string> SecretAsync(string file, CancellationToken cancellationToken)
    {
        try
        {
            return (await File.ReadAllTextAsync(file, cancellationToken)).TrimEnd('\r', '\n');
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new RemoteException(ExitCodes.Configuration, $"--secret-file {file} cannot be read: {exception.Message}");
        }
    }

    /// <summary>Where one listens on all addresses, this machine is asked.</summary>
    private static Uri Reachable(ListenUrl listen) =>
        new((listen.Host is "*" or "0.0.0.0" or "::" ? listen with { Host = "127.0.0.1" } : listen).ToString());
}

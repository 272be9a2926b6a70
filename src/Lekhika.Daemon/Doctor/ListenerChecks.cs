using Lekhika.Daemon.Configuration;

namespace Lekhika.Daemon.Doctor;

/// <summary>The worker that answers where the configuration says that it listens.</summary>
/// <param name="WorkerId">Its name.</param>
/// <param name="Incarnation">Number of its present life; null if it has no database.</param>
internal sealed record FoundWorker(string WorkerId, long? Incarnation)
{
    /// <summary>Whether a reply of /health is this worker's.</summary>
    public bool Is(ProbeReply health) =>
        health.Text("worker_id") == WorkerId && (Incarnation is null || health.Number("incarnation") is not { } number || number == Incarnation);
}

/// <summary>Does the daemon answer on its own addresses, is it the one of this configuration, and does it know the same secret?</summary>
internal sealed class ListenerChecks(DaemonOptions options, DoctorContext context)
{
    private const string Listener = "listener";
    private const string Secret = "secret";

    /// <summary>The worker that answered; null if none did.</summary>
    public FoundWorker? Found { get; private set; }

    /// <summary>How to ask it directly; the caller disposes of it.</summary>
    public HttpProbe? Local { get; private set; }

    public async Task<List<Check>> RunAsync(CancellationToken cancellationToken)
    {
        var checks = new List<Check>();
        foreach (var (where, probe) in Targets())
        {
            var reply = await probe.GetAsync("/health", cancellationToken);
            checks.Add(Judge(where, reply));
            if (Local is null && reply.Text("worker_id") is not null) Local = probe;
            else probe.Dispose();
        }

        if (Local is not null) checks.Add(JudgeSecret(await Local.GetAsync("/status", cancellationToken)));
        return checks;
    }

    private IEnumerable<(string Where, HttpProbe Probe)> Targets()
    {
        var secret = options.Auth.InternalSecret?.Reveal();
        foreach (var url in options.Server.Urls.Where(static url => url.Port != 0))
        {
            var reachable = url.Host == "*" ? url with { Host = "127.0.0.1" } : url;
            yield return ($"{reachable}", new HttpProbe(new Uri(reachable.ToString()), secret));
        }

        if (options.Server.Socket is { } socket) yield return (socket, new HttpProbe(new Uri("http://localhost"), secret, socket));
    }

    private Check Judge(string where, ProbeReply reply)
    {
        var start = context.UnitName is { } unit ? $"systemctl enable --now {unit}" : "lekhika-daemon run";
        if (reply.Failure == ProbeFailure.Refused || reply is { Failure: ProbeFailure.Silent, Status: 0 } && where.StartsWith('/'))
        {
            return context.Unit?.IsActive == true
                ? Check.Failed(Listener, $"nothing listens on {where}, although {context.UnitName} runs",
                    $"server.url may have changed since it started: systemctl restart {context.UnitName}")
                : Check.Failed(Listener, $"nothing listens on {where}: the port is closed, the daemon is not started", $"start it: {start}");
        }

        if (reply.Failure != ProbeFailure.None)
        {
            return Check.Failed(Listener, $"no answer on {where}: {reply.Detail}",
                "something holds the port but does not answer; see who: ss -ltnp; a firewall in between drops packets silently");
        }

        if (reply.Text("worker_id") is not { } id)
        {
            return Check.Failed(Listener, $"another program answers on {where}, not lekhika-daemon ({reply.Said})",
                "see which: ss -ltnp; stop it (an earlier worker: pm2 delete or systemctl disable --now it), or give the daemon another port with server.url");
        }

        if (id != options.Worker.Id)
        {
            var message = $"another worker answers on {where}: {id}, while this configuration is that of {options.Worker.Id}";
            const string fix = "stop the other daemon or give one of them another port (server.url); see who holds it: ss -ltnp";
            return context.IsWorkerNamed
                ? Check.Failed(Listener, message, fix)
                : Found is null
                    ? Remember(reply, id, Check.Warning(Listener, message, $"if it is the same daemon, name it with worker.id; else {fix}"))
                    : Check.Failed(Listener, message, fix);
        }

        return Remember(reply, id, Check.Ok(Listener, $"{id} answers on {where}, version {reply.Text("version")}"));
    }

    private Check Remember(ProbeReply reply, string id, Check check)
    {
        Found ??= new FoundWorker(id, reply.Number("incarnation"));
        return check;
    }

    private Check JudgeSecret(ProbeReply reply)
    {
        if (reply.Status == 401)
        {
            var restart = context.UnitName is { } unit ? $"systemctl restart {unit}" : "restart it";
            return Check.Failed(Secret, "the running daemon refuses the secret of this configuration: it was started with another one",
                $"put the right one into auth.internal_secret or the credential internal-secret, then {restart}");
        }

        if (reply.Status != 200) return Check.Failed(Secret, $"/status does not answer as it should ({reply.Said}{reply.Detail})", "the daemon's log says why");
        if (options.Auth.InternalSecret is null) return Check.Ok(Secret, "no secret is wanted (auth.allow_insecure_loopback)");
        return Check.Ok(Secret, $"the daemon accepts the secret of this configuration (its SHA-256 begins with {context.Fingerprint}; compare with the caller's)");
    }
}

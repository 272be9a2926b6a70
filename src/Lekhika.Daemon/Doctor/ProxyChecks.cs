using Lekhika.Postgres;

namespace Lekhika.Daemon.Doctor;

/// <summary>
/// Does the public URL lead here? /health says who answers; /execute is sent an empty object, which starts nothing anywhere, and its refusal says who
/// refused. Asked several times, so that a second worker behind the same name shows itself.
/// </summary>
internal sealed class ProxyChecks(Uri url, HttpProbe probe, FoundWorker? local, IReadOnlyList<WorkerFacts> workers)
{
    private const string Health = "proxy-health";
    private const string Execute = "proxy-execute";
    private const string Site = "/usr/share/doc/lekhika-daemon/examples/nginx-site shows the routes; then: nginx -t && systemctl reload nginx";
    private const int Rounds = 6;
    private readonly string _shown = url.ToString().TrimEnd('/');

    public async Task<List<Check>> RunAsync(CancellationToken cancellationToken)
    {
        var health = await HealthAsync(cancellationToken);
        if (health.Status is CheckStatus.Failed && health.Message.StartsWith("no ", StringComparison.Ordinal)) return [health, Check.Skipped(Execute, "/health is not reached")];
        return [health, await ExecuteAsync(cancellationToken)];
    }

    private async Task<Check> HealthAsync(CancellationToken cancellationToken)
    {
        var replies = new List<ProbeReply>();
        for (var i = 0; i < Rounds; i++)
        {
            var reply = await probe.GetAsync("/health", cancellationToken);
            if (Unreached("/health", reply) is { } failed) return failed with { Name = Health };
            if (reply.Text("worker_id") is null) return NotOurs(Health, "/health", reply);
            replies.Add(reply);
        }

        if (local is null)
        {
            return Check.Warning(Health, $"{_shown} leads to worker {Names(replies)}; whether that is this one is not known, since none answers here", "start the daemon, then ask again");
        }

        var others = replies.Where(reply => !local.Is(reply)).ToList();
        if (others.Count == 0) return Check.Ok(Health, $"{_shown} leads to this worker ({local.WorkerId})");
        var strangers = others.Where(reply => !IsColleague(reply)).ToList();
        if (others.Count == replies.Count || strangers.Count > 0)
        {
            var which = strangers.Count > 0 ? strangers : others;
            return Check.Failed(Health,
                $"{_shown} leads to another worker: {Names(which)} answers{(others.Count < replies.Count ? " in turn with" : " instead of")} {local.WorkerId}",
                $"two workers are at work: stop the other one, or let the proxy's upstream name this one's address only. {Site}");
        }

        return Check.Ok(Health, $"{_shown} leads to {Names(replies)}, all of this database");
    }

    private async Task<Check> ExecuteAsync(CancellationToken cancellationToken)
    {
        var ids = new SortedSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < Rounds; i++)
        {
            var reply = await probe.PostAsync("/execute", "{}", cancellationToken);
            if (reply.Status == 429) break;
            if (Unreached("/execute", reply) is { } failed) return failed with { Name = Execute };
            if (!reply.IsOwnError) return NotOurs(Execute, "/execute", reply);
            if (reply.Status == 401)
            {
                return Check.Failed(Execute, $"{_shown}/execute refuses the secret that this configuration has ({reply.Text("error")})",
                    "the proxy must pass the header X-Internal-Auth on as it came (no proxy_set_header for it), and the worker behind it must have the same secret");
            }

            if (reply.Status is not 400 and not 503)
                return Check.Failed(Execute, $"{_shown}/execute answers otherwise than this daemon would ({reply.Said})", $"see what stands between: {Site}");
            if (reply.WorkerId is { } id) ids.Add(id);
        }

        if (local is null || ids.Count == 0) return Check.Ok(Execute, $"{_shown}/execute reaches a lekhika-daemon, which accepts the secret");
        if (ids.Contains(local.WorkerId) && ids.All(id => id == local.WorkerId || workers.Any(worker => worker.WorkerId == id)))
            return Check.Ok(Execute, $"{_shown}/execute reaches {string.Join(", ", ids)}, and the secret is accepted");
        return Check.Failed(Execute, $"{_shown}/execute leads to another worker: {string.Join(", ", ids)} instead of {local.WorkerId}",
            $"/health and /execute must be routed to the same upstream. {Site}");
    }

    /// <summary>What is wrong before any worker is reached, or null.</summary>
    private Check? Unreached(string path, ProbeReply reply) => reply switch
    {
        { Failure: ProbeFailure.UnknownHost } => Check.Failed(path, $"no such host: {url.Host} is not known to DNS", $"make the DNS record of {url.Host}, or mend the URL"),
        { Failure: ProbeFailure.Refused } => Check.Failed(path, $"no connection: nothing listens on {url.Host}:{url.Port}",
            "start the proxy: systemctl enable --now nginx; open the port in the firewall"),
        { Failure: ProbeFailure.Silent } => Check.Failed(path, $"no answer from {url.Host}:{url.Port}: {reply.Detail}", "open the port in the firewall, and see that the DNS record names this machine"),
        { Failure: ProbeFailure.Tls } => Check.Failed(path, $"no TLS connection: {reply.Detail}", Certificate(reply.Detail)),
        { Failure: ProbeFailure.NotHttp } => Check.Failed(path, $"no HTTP: {reply.Detail}", "is the scheme of the URL right (http, https), and its port?"),
        { Status: 301 or 302 or 307 or 308 } => Check.Failed(path, $"no worker: {_shown}{path} redirects to {reply.Location}", "give that URL to callers and to --url: a POST does not survive the redirect"),
        { Status: 400, WorkerId: null } when reply.Body.Contains("sent to HTTPS port", StringComparison.Ordinal) =>
            Check.Failed(path, $"no HTTP: {_shown} speaks TLS", $"give callers and --url the address with https: https{_shown[4..]}"),
        { Status: 401 or 407, WorkerId: null, IsOwnError: false } => Check.Failed(path, $"no passage: {reply.Server ?? "another server"} asks for a login of its own at {path}",
            "let the callers' routes through without it (auth_basic off; in their locations): the daemon checks X-Internal-Auth itself"),
        { Status: 502 or 504, WorkerId: null, IsOwnError: false } => Check.Failed(path, $"no worker behind the proxy ({reply.Said})",
            $"the proxy's upstream must be where the daemon listens (server.url), and the daemon must run. {Site}"),
        { Status: 404 or 405 or 403, WorkerId: null, IsOwnError: false } => Check.Failed(path, $"no proxy route for {path}: {reply.Server ?? "another server"} answers {reply.Status} itself",
            $"add the route to the site that serves {url.Host}. {Site}"),
        { Status: 413 } => Check.Failed(path, "no room: the proxy refuses an empty object as too large", "client_max_body_size must equal server.body_limit (50m)"),
        _ => null,
    };

    private string Certificate(string detail)
    {
        if (detail.Contains("NameMismatch", StringComparison.Ordinal))
            return $"the certificate is for another name: certbot certonly --nginx -d {url.Host} gets one for this; or give callers and --url the name that it is for";
        if (detail.Contains("NotTimeValid", StringComparison.Ordinal)) return "it has run out, or a clock is wrong: certbot renew && systemctl reload nginx; timedatectl";
        if (detail.Contains("PartialChain", StringComparison.Ordinal)) return "ssl_certificate must name the whole chain: /etc/letsencrypt/live/NAME/fullchain.pem, not cert.pem; then: systemctl reload nginx";
        return detail.Contains("UntrustedRoot", StringComparison.Ordinal)
            ? $"it is signed by nobody that machines trust: certbot certonly --nginx -d {url.Host}; or trust its root: copy it to /usr/local/share/ca-certificates/NAME.crt, update-ca-certificates"
            : "see that ssl_certificate is the whole chain, for this name and in date; then: nginx -t && systemctl reload nginx";
    }

    private Check NotOurs(string name, string path, ProbeReply reply) => Check.Failed(name,
        $"another program answers {_shown}{path}, not a lekhika-daemon ({reply.Said})",
        $"an earlier worker with another payload may still be behind the proxy: stop it, and let the upstream name this daemon. {Site}");

    private bool IsColleague(ProbeReply reply) =>
        workers.Any(worker => worker.WorkerId == reply.Text("worker_id") && (reply.Number("incarnation") is not { } number || number == worker.Incarnation));

    private static string Names(IEnumerable<ProbeReply> replies) => string.Join(", ", replies.Select(static reply => reply.Text("worker_id")).Distinct(StringComparer.Ordinal));
}

using System.Text.Json;
using Lekhika.Daemon.Doctor;
using Lekhika.Daemon.Tests.Doctor.Support;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Daemon.Tests.Nodes.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Lekhika.Daemon.Tests.Doctor;

/// <summary>The worker that nobody could reach: every part of that incident is provoked, and must be found with what mends it.</summary>
public sealed class IncidentTests(Servers servers)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_installation_that_is_well_passes_with_an_execution_from_end_to_end()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var setup = Setup(scene);
        setup.Settings["models.default"] = "llama3.2";
        await using var daemon = await DaemonProcess.StartAsync(setup, Cancellation);
        await WorkingAsync(daemon);
        var diagnosis = await Diagnosis.OfAsync(setup, arguments => arguments with { Url = Address(daemon), Run = true, CallerSecret = DaemonSetup.Secret + "\n" });
        Assert.True(diagnosis.ExitCode == 0, diagnosis.Text);
        foreach (var name in (string[])["configuration", "listener", "secret", "caller", "database", "schema", "privileges", "row-security", "clock", "wake-up", "workers",
                     "proxy-health", "proxy-execute", "ollama", "models", "disk", "run"])
        {
            Assert.True(diagnosis.StatusOf(name) == "ok", diagnosis.Text);
        }

        Assert.Contains("with a model call", diagnosis.Message("run"), StringComparison.Ordinal);
        Assert.DoesNotContain(DaemonSetup.Secret, diagnosis.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_daemon_that_is_not_started_and_a_closed_port_are_found()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var setup = Setup(scene);
        var diagnosis = await Diagnosis.OfAsync(setup, static arguments => arguments with { Run = true });
        diagnosis.Finds("listener", "the port is closed, the daemon is not started", "lekhika-daemon run");
        diagnosis.Finds("run", "not reached", "mend");
        Assert.Equal("warning", diagnosis.StatusOf("workers"));
        Assert.Equal(1, diagnosis.ExitCode);
    }

    [Fact]
    public async Task A_proxy_without_the_route_is_found()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var setup = Setup(scene);
        await using var daemon = await DaemonProcess.StartAsync(setup, Cancellation);
        await using var other = await SmallServer.StartAsync(static context =>
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            context.Response.Headers.Server = "nginx/1.22.1";
            return context.Response.WriteAsync("<html><h1>404 Not Found</h1></html>", context.RequestAborted);
        });
        var diagnosis = await Diagnosis.OfAsync(setup, arguments => arguments with { Url = other.Url });
        diagnosis.Finds("proxy-health", "no proxy route for /health: nginx/1.22.1 answers 404 itself", "nginx-site");
        Assert.Equal(["proxy-health"], diagnosis.Failed);
    }

    [Fact]
    public async Task A_proxy_whose_upstream_is_away_and_one_that_is_away_itself_are_found()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var setup = Setup(scene);
        await using var daemon = await DaemonProcess.StartAsync(setup, Cancellation);
        await using var gateway = await SmallServer.StartAsync(static context =>
        {
            context.Response.StatusCode = StatusCodes.Status502BadGateway;
            return Task.CompletedTask;
        });
        (await Diagnosis.OfAsync(setup, arguments => arguments with { Url = gateway.Url })).Finds("proxy-health", "no worker behind the proxy", "upstream");
        var closed = new Uri($"http://127.0.0.1:{Ports.Take()}");
        (await Diagnosis.OfAsync(setup, arguments => arguments with { Url = closed })).Finds("proxy-health", "nothing listens", "nginx");
        var unknown = new Uri("http://no-such-host.invalid/");
        (await Diagnosis.OfAsync(setup, arguments => arguments with { Url = unknown })).Finds("proxy-health", "no-such-host.invalid", "");
    }

    [Theory]
    [InlineData(401, "<html><head><title>401 Authorization Required</title></head></html>", "asks for a login of its own", "auth_basic off")]
    [InlineData(400, "<title>400 The plain HTTP request was sent to HTTPS port</title>", "speaks TLS", "https://127.0.0.1")]
    public async Task A_proxy_that_wants_a_login_or_tls_is_told_from_an_earlier_worker(int status, string page, string message, string fix)
    {
        await using var scene = await Scene.BeginAsync(servers);
        var setup = Setup(scene);
        await using var daemon = await DaemonProcess.StartAsync(setup, Cancellation);
        await using var proxy = await SmallServer.StartAsync(async context =>
        {
            context.Response.StatusCode = status;
            await context.Response.WriteAsync(page, Cancellation);
        });
        var diagnosis = await Diagnosis.OfAsync(setup, arguments => arguments with { Url = proxy.Url, Run = true });
        diagnosis.Finds("proxy-health", message, fix);
        Assert.Equal(["proxy-health"], diagnosis.Failed);
        Assert.Equal("skipped", diagnosis.StatusOf("run"));
        var tls = new UriBuilder(proxy.Url) { Scheme = "https" }.Uri;
        (await Diagnosis.OfAsync(setup, arguments => arguments with { Url = tls })).Finds("proxy-health", "that port speaks no TLS", "scheme");
    }

    [Fact]
    public async Task A_secret_that_is_not_configured_is_found_with_the_command_that_makes_one()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var setup = Setup(scene);
        setup.Settings.Remove("auth.internal_secret");
        var diagnosis = await Diagnosis.OfAsync(setup);
        diagnosis.Finds("configuration", "auth.internal_secret: no secret is configured", "openssl rand -hex 32");
        Assert.Equal(78, diagnosis.ExitCode);
    }

    [Fact]
    public async Task A_database_that_is_not_configured_is_found()
    {
        var diagnosis = await Diagnosis.OfAsync(new Dictionary<string, string>(StringComparer.Ordinal) { ["auth.internal_secret"] = DaemonSetup.Secret });
        diagnosis.Finds("configuration", "no database is configured", "[database]");
        Assert.Equal(78, diagnosis.ExitCode);
    }

    [Fact]
    public async Task A_daemon_that_was_started_with_another_secret_is_found()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var setup = Setup(scene);
        await using var daemon = await DaemonProcess.StartAsync(setup, Cancellation);
        setup.Settings["auth.internal_secret"] = "the-secret-that-was-written-afterwards";
        var diagnosis = await Diagnosis.OfAsync(setup, arguments => arguments with { Url = Address(daemon) });
        diagnosis.Finds("secret", "refuses the secret", "restart");
        diagnosis.Finds("proxy-execute", "refuses the secret", "X-Internal-Auth");
    }

    [Fact]
    public async Task A_caller_with_another_secret_or_none_is_found()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var setup = Setup(scene);
        (await Diagnosis.OfAsync(setup, static arguments => arguments with { CallerSecret = "dev-secret-key" }))
            .Finds("caller", "another one", "INTERNAL_API_SECRET");
        (await Diagnosis.OfAsync(setup, static arguments => arguments with { CallerSecret = "" })).Finds("caller", "has no secret", "INTERNAL_API_SECRET");
    }

    [Fact]
    public async Task A_proxy_that_keeps_the_secret_to_itself_is_found()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var setup = Setup(scene);
        await using var daemon = await DaemonProcess.StartAsync(setup, Cancellation);
        await using var proxy = await ForwardAsync(daemon, withSecret: false);
        var diagnosis = await Diagnosis.OfAsync(setup, arguments => arguments with { Url = proxy.Url });
        Assert.Equal("ok", diagnosis.StatusOf("proxy-health"));
        diagnosis.Finds("proxy-execute", "refuses the secret", "must pass the header X-Internal-Auth on");
    }

    [Fact]
    public async Task Another_worker_behind_the_proxy_is_found_even_if_it_shares_the_database()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var setup = Setup(scene);
        await using var daemon = await DaemonProcess.StartAsync(setup, Cancellation);
        await using var other = await DaemonProcess.StartAsync(Setup(scene, "worker-b"), Cancellation);
        await WorkingAsync(daemon);
        await WorkingAsync(other);
        var diagnosis = await Diagnosis.OfAsync(setup, arguments => arguments with { Url = Address(other) });
        diagnosis.Finds("proxy-health", "leads to another worker: worker-b answers instead of worker-a", "stop the other one");
        diagnosis.Finds("proxy-execute", "leads to another worker: worker-b instead of worker-a", "same upstream");
    }

    [Fact]
    public async Task Two_workers_of_one_database_in_turn_are_well_and_a_stranger_in_turn_is_not()
    {
        await using var scene = await Scene.BeginAsync(servers);
        await using var elsewhere = await Scene.BeginAsync(servers);
        var setup = Setup(scene);
        await using var daemon = await DaemonProcess.StartAsync(setup, Cancellation);
        await using var colleague = await DaemonProcess.StartAsync(Setup(scene, "worker-b"), Cancellation);
        await using var stranger = await DaemonProcess.StartAsync(Setup(elsewhere, "worker-c"), Cancellation);
        foreach (var each in (DaemonProcess[])[daemon, colleague, stranger]) await WorkingAsync(each);
        await using var pair = await ForwardAsync(daemon, withSecret: true, colleague);
        var diagnosis = await Diagnosis.OfAsync(setup, arguments => arguments with { Url = pair.Url });
        Assert.True(diagnosis.Failed.Length == 0, diagnosis.Text);
        await using var mixed = await ForwardAsync(daemon, withSecret: true, stranger);
        diagnosis = await Diagnosis.OfAsync(setup, arguments => arguments with { Url = mixed.Url });
        diagnosis.Finds("proxy-health", "worker-c answers in turn with worker-a", "upstream");
        diagnosis.Finds("proxy-execute", "worker-c", "same upstream");
    }

    [Fact]
    public async Task An_earlier_worker_with_another_payload_is_found_behind_the_proxy_and_on_the_port()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var setup = Setup(scene);
        await using var earlier = await SmallServer.StartAsync(static context =>
        {
            context.Response.StatusCode = context.Request.Path == "/health" ? 200 : 400;
            context.Response.ContentType = "application/json";
            return context.Response.WriteAsync(
                context.Request.Path == "/health" ? """{"status":"healthy","workerId":"worker_1","version":"1.0.0"}""" : """{"error":"Missing required fields","required":["executionId"]}""",
                context.RequestAborted);
        });
        await using (var daemon = await DaemonProcess.StartAsync(setup, Cancellation))
        {
            var diagnosis = await Diagnosis.OfAsync(setup, arguments => arguments with { Url = earlier.Url });
            diagnosis.Finds("proxy-health", "another program answers", "earlier worker");
            diagnosis.Finds("proxy-execute", "Missing required fields", "earlier worker");
        }

        setup.Settings["server.url"] = earlier.Url.ToString().TrimEnd('/');
        (await Diagnosis.OfAsync(setup)).Finds("listener", "another program answers", "ss -ltnp");
    }

    [Fact]
    public async Task Another_daemon_on_the_port_and_two_under_one_name_are_found()
    {
        await using var scene = await Scene.BeginAsync(servers);
        await using var first = await DaemonProcess.StartAsync(Setup(scene, "twin"), Cancellation);
        await using var second = await DaemonProcess.StartAsync(Setup(scene, "twin"), Cancellation);
        await WorkingAsync(first);
        await WorkingAsync(second);
        var setup = Setup(scene);
        setup.Settings["server.url"] = $"http://127.0.0.1:{first.Port}";
        var diagnosis = await Diagnosis.OfAsync(setup);
        diagnosis.Finds("listener", "another worker answers", "server.url");
        diagnosis.Finds("workers", "2 daemons are at work under the name twin", "worker.id");
    }

    [Fact]
    public async Task The_command_writes_lines_with_marks_and_ends_with_1()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var setup = Setup(scene);
        await using var daemon = await DaemonProcess.StartAsync(setup, Cancellation);
        var file = Path.Combine(daemon.StateDirectory, $"daemon-{daemon.Port}.conf");
        var doctor = await ChildProcess.RunAsync(null, Cancellation, "doctor", "--config", file, "--url", $"http://127.0.0.1:{Ports.Take()}");
        Assert.Equal(1, doctor.ExitCode);
        Assert.Contains("✓ listener", doctor.Output, StringComparison.Ordinal);
        Assert.Contains("✗ proxy-health", doctor.Output, StringComparison.Ordinal);
        Assert.Contains("fix: ", doctor.Output, StringComparison.Ordinal);
        var wrong = await ChildProcess.RunAsync(null, Cancellation, "doctor", "--url", "not a url");
        Assert.Equal(2, wrong.ExitCode);
        Assert.Contains("https://workflows.example.org", wrong.Error, StringComparison.Ordinal);
    }

    private static DaemonSetup Setup(Scene scene, string worker = "worker-a") => scene.Setup(setup =>
    {
        setup.Port = Ports.Take();
        setup.Settings["worker.id"] = worker;
        setup.Settings["worker.state_directory"] = setup.StateDirectory!;
        setup.Settings["server.url"] = $"http://127.0.0.1:{setup.Port}";
        setup.Settings["auth.internal_secret"] = DaemonSetup.Secret;
    });

    private static Uri Address(DaemonProcess daemon) => new($"http://127.0.0.1:{daemon.Port}");

    /// <summary>Waits until it has its number, without which it is no worker of the database yet.</summary>
    private static Task<JsonElement> WorkingAsync(DaemonProcess daemon) =>
        daemon.UntilAsync("health", static (_, body) => body.TryGetProperty("incarnation", out var _), Cancellation);

    /// <summary>A proxy in front of one or several daemons, in turn.</summary>
    private static Task<SmallServer> ForwardAsync(DaemonProcess daemon, bool withSecret, params DaemonProcess[] others)
    {
        DaemonProcess[] all = [daemon, .. others];
        var turn = 0;
        return SmallServer.StartAsync(async context =>
        {
            var target = all[Interlocked.Increment(ref turn) % all.Length];
            using var client = new HttpClient();
            using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), new Uri(Address(target), context.Request.Path));
            if (withSecret && context.Request.Headers.TryGetValue("X-Internal-Auth", out var secret)) request.Headers.Add("X-Internal-Auth", secret.ToString());
            if (HttpMethods.IsPost(context.Request.Method)) request.Content = new StringContent("{}", System.Text.Encoding.UTF8, "application/json");
            using var response = await client.SendAsync(request, context.RequestAborted);
            context.Response.StatusCode = (int)response.StatusCode;
            context.Response.ContentType = "application/json";
            if (response.Headers.TryGetValues("X-Worker-Id", out var ids)) context.Response.Headers["X-Worker-Id"] = ids.First();
            await context.Response.WriteAsync(await response.Content.ReadAsStringAsync(context.RequestAborted), context.RequestAborted);
        });
    }
}

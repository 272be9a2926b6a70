using System.Net;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Tests.Http.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.Http;

public sealed class AccessTests
{
    [Theory]
    [InlineData("GET", "/status")]
    [InlineData("GET", "/status/0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e")]
    [InlineData("GET", "/status/0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e/events")]
    [InlineData("POST", "/execute")]
    [InlineData("POST", "/stop/0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e")]
    [InlineData("POST", "/workflows/validate")]
    [InlineData("POST", "/health")]
    [InlineData("GET", "/no-such-route")]
    public async Task A_missing_or_wrong_secret_is_refused(string method, string path)
    {
        await using var server = await TestServer.StartAsync();
        foreach (var secret in (string?[])[null, "", "a-secret-of-this-tesT", TestServer.Secret + "x"])
        {
            using var client = server.NewClient(withSecret: false);
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            if (secret is not null) request.Headers.Add("X-Internal-Auth", secret);
            var (response, body) = await TestServer.ReadAsync(await client.SendAsync(request, TestContext.Current.CancellationToken));

            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.False(body.GetProperty("success").GetBoolean());
            Assert.Equal("unauthorized", body.GetProperty("code").GetString());
            Assert.DoesNotContain(TestServer.Secret, body.GetRawText(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("/health")]
    [InlineData("/health/ready")]
    public async Task The_health_routes_need_no_secret(string path)
    {
        await using var server = await TestServer.StartAsync();
        server.Endpoints(new Inference.ModelInfo("m"));
        using var client = server.NewClient(withSecret: false);
        var (response, _) = await TestServer.ReadAsync(await client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task Without_a_configured_secret_local_programs_are_served()
    {
        await using var server = await TestServer.StartAsync(static context => context with { Auth = new AuthOptions(null, true) });
        using var client = server.NewClient(withSecret: false);
        using var response = await client.GetAsync(new Uri("/status", UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("Origin", "https://elsewhere.example")]
    [InlineData("Origin", "null")]
    [InlineData("Host", "rebound.example")]
    public async Task Without_a_configured_secret_pages_of_other_sites_are_not(string header, string value)
    {
        await using var server = await TestServer.StartAsync(static context => context with { Auth = new AuthOptions(null, true) });
        using var client = server.NewClient(withSecret: false);
        client.DefaultRequestHeaders.Add(header, value);
        var (response, body) = await TestServer.ReadAsync(
            await client.GetAsync(new Uri("/status", UriKind.Relative), TestContext.Current.CancellationToken));
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Equal("forbidden", body.GetProperty("code").GetString());
    }

    [Fact]
    public async Task No_origin_is_allowed_by_default()
    {
        await using var server = await TestServer.StartAsync();
        server.Client.DefaultRequestHeaders.Add("Origin", "https://elsewhere.example");
        var (response, _) = await server.GetAsync("/status");
        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
    }
}

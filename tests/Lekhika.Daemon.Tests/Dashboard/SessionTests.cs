using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Dashboard;
using Lekhika.Daemon.Tests.Http.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.Dashboard;

public sealed class SessionTests
{
    private const string Viewer = "the-viewers-secret-of-this-test";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_secret_begins_a_session_whose_cookie_no_script_and_no_other_site_gets()
    {
        await using var server = await TestServer.StartAsync();
        using var client = Browser(server);
        using var response = await SignInAsync(client, TestServer.Secret);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var cookie = Assert.Single(response.Headers.GetValues("Set-Cookie"));
        Assert.StartsWith("lekhika_session=", cookie, StringComparison.Ordinal);
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(TestServer.Secret, cookie, StringComparison.Ordinal);
        using var status = await client.GetAsync(new Uri("/status", UriKind.Relative), Cancellation);
        Assert.Equal(HttpStatusCode.OK, status.StatusCode);
        Assert.Equal("operator", (await ReadAsync(client)).GetProperty("role").GetString());
    }

    [Fact]
    public async Task Over_https_in_front_the_cookie_is_secure()
    {
        await using var server = await TestServer.StartAsync();
        using var client = Browser(server);
        client.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");
        using var response = await SignInAsync(client, TestServer.Secret);
        Assert.Contains("secure", Assert.Single(response.Headers.GetValues("Set-Cookie")), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_wrong_secret_begins_nothing()
    {
        await using var server = await TestServer.StartAsync();
        using var client = Browser(server);
        using var response = await SignInAsync(client, "wrong");
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.False(response.Headers.Contains("Set-Cookie"));
        Assert.False((await ReadAsync(client)).GetProperty("signedIn").GetBoolean());
    }

    [Fact]
    public async Task Guessing_is_slowed_down_and_told_how_long_to_wait()
    {
        await using var server = await TestServer.StartAsync();
        using var client = Browser(server);
        for (var i = 0; i < SignInLimiter.PerAddress; i++)
        {
            using var wrong = await SignInAsync(client, $"guess-{i}");
            Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        }

        using var refused = await SignInAsync(client, TestServer.Secret);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
        var (_, body) = await TestServer.ReadAsync(refused);
        Assert.Equal("too_many_attempts", body.GetProperty("code").GetString());
        // Whoever has the secret in the header is not kept out by those who guess.
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/status")).Response.StatusCode);
    }

    [Fact]
    public async Task Behind_a_proxy_of_this_machine_who_guesses_slows_down_nobody_else()
    {
        await using var server = await TestServer.StartAsync();
        using var guessing = Browser(server);
        guessing.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.9, 198.51.100.7");
        for (var i = 0; i < SignInLimiter.PerAddress; i++)
        {
            using var wrong = await SignInAsync(guessing, $"guess-{i}");
            Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        }

        // The first part is what the caller says of itself; the proxy adds the last.
        using var pretending = Browser(server);
        pretending.DefaultRequestHeaders.Add("X-Forwarded-For", "192.0.2.1, 198.51.100.7");
        using var refused = await SignInAsync(pretending, TestServer.Secret);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        using var somebody = Browser(server);
        somebody.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.9");
        using var signedIn = await SignInAsync(somebody, TestServer.Secret);
        Assert.Equal(HttpStatusCode.OK, signedIn.StatusCode);
    }

    [Fact]
    public async Task Signing_out_ends_the_session_for_whoever_kept_its_cookie()
    {
        await using var server = await TestServer.StartAsync();
        using var client = Browser(server);
        using var begun = await SignInAsync(client, TestServer.Secret);
        var kept = begun.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        using (var request = new HttpRequestMessage(HttpMethod.Delete, "/session"))
        {
            request.Headers.Add("X-Lekhika-Request", "1");
            using var ended = await client.SendAsync(request, Cancellation);
            Assert.Equal(HttpStatusCode.OK, ended.StatusCode);
        }

        using var thief = server.NewClient(withSecret: false);
        thief.DefaultRequestHeaders.Add("Cookie", kept);
        using var refused = await thief.GetAsync(new Uri("/status", UriKind.Relative), Cancellation);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }

    [Theory]
    [InlineData(null, null, null, HttpStatusCode.Forbidden)]
    [InlineData("1", "https://elsewhere.example", null, HttpStatusCode.Forbidden)]
    [InlineData("1", "null", null, HttpStatusCode.Forbidden)]
    [InlineData("1", null, "cross-site", HttpStatusCode.Forbidden)]
    [InlineData("1", null, "same-site", HttpStatusCode.Forbidden)]
    [InlineData("1", null, null, HttpStatusCode.NotFound)]
    [InlineData("1", "own", "same-origin", HttpStatusCode.NotFound)]
    public async Task Acting_with_the_cookie_needs_what_only_the_own_page_can_send(string? header, string? origin, string? site, HttpStatusCode expected)
    {
        await using var server = await TestServer.StartAsync();
        using var client = Browser(server);
        using var begun = await SignInAsync(client, TestServer.Secret);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/stop/{Guid.NewGuid()}");
        if (header is not null) request.Headers.Add("X-Lekhika-Request", header);
        if (origin is not null) request.Headers.Add("Origin", origin == "own" ? server.Url.GetLeftPart(UriPartial.Authority) : origin);
        if (site is not null) request.Headers.Add("Sec-Fetch-Site", site);
        using var response = await client.SendAsync(request, Cancellation);
        Assert.Equal(expected, response.StatusCode);
    }

    [Fact]
    public async Task A_page_of_another_site_cannot_sign_somebody_in()
    {
        await using var server = await TestServer.StartAsync();
        using var client = Browser(server);
        client.DefaultRequestHeaders.Add("Origin", "https://elsewhere.example");
        using var response = await SignInAsync(client, TestServer.Secret);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_viewer_reads_and_validates_and_does_not_act(bool byCookie)
    {
        await using var server = await TestServer.StartAsync(static context => context with { Auth = new AuthOptions(new Secret(TestServer.Secret), false, new Secret(Viewer)) });
        using var client = Browser(server);
        client.DefaultRequestHeaders.Add("X-Lekhika-Request", "1");
        if (byCookie)
        {
            using var begun = await SignInAsync(client, Viewer);
            Assert.Equal("viewer", (await ReadAsync(client)).GetProperty("role").GetString());
        }
        else
        {
            client.DefaultRequestHeaders.Add("X-Internal-Auth", Viewer);
        }

        using var read = await client.GetAsync(new Uri("/status", UriKind.Relative), Cancellation);
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        using var content = new StringContent("""{"nodes":[],"edges":[]}""", Encoding.UTF8, "application/json");
        using var validated = await client.PostAsync(new Uri("/workflows/validate", UriKind.Relative), content, Cancellation);
        Assert.Equal(HttpStatusCode.OK, validated.StatusCode);
        foreach (var path in (string[])["/execute", $"/stop/{Guid.NewGuid()}", $"/retry/{Guid.NewGuid()}", "/workflows"])
        {
            using var acted = await client.PostAsync(new Uri(path, UriKind.Relative), null, Cancellation);
            var (_, body) = await TestServer.ReadAsync(acted);
            Assert.Equal(HttpStatusCode.Forbidden, acted.StatusCode);
            Assert.Equal("read_only", body.GetProperty("code").GetString());
        }
    }

    [Fact]
    public async Task Without_a_configured_secret_nobody_needs_to_sign_in()
    {
        await using var server = await TestServer.StartAsync(static context => context with { Auth = new AuthOptions(null, true) });
        using var client = Browser(server);
        var session = await ReadAsync(client);
        Assert.False(session.GetProperty("required").GetBoolean());
        Assert.True(session.GetProperty("signedIn").GetBoolean());
        Assert.Equal("operator", session.GetProperty("role").GetString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"secret":17}""")]
    [InlineData("[]")]
    public async Task What_is_no_secret_is_a_400(string body)
    {
        await using var server = await TestServer.StartAsync();
        using var client = Browser(server);
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await client.PostAsync(new Uri("/session", UriKind.Relative), content, Cancellation);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task A_huge_body_is_not_read_for_somebody_who_is_not_signed_in()
    {
        await using var server = await TestServer.StartAsync();
        using var client = Browser(server);
        using var content = new StringContent($$"""{"secret":"{{new string('x', 100_000)}}"}""", Encoding.UTF8, "application/json");
        using var response = await client.PostAsync(new Uri("/session", UriKind.Relative), content, Cancellation);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
    }

    private static HttpClient Browser(TestServer server) => server.NewClient(withSecret: false);

    private static Task<HttpResponseMessage> SignInAsync(HttpClient client, string secret) => client.PostAsJsonAsync(
        new Uri("/session", UriKind.Relative), new Dictionary<string, string>(StringComparer.Ordinal) { ["secret"] = secret }, Cancellation);

    private static async Task<JsonElement> ReadAsync(HttpClient client) =>
        TestServer.Json(await client.GetStringAsync(new Uri("/session", UriKind.Relative), Cancellation));
}

using System.Net;
using System.Text;
using System.Text.Json;
using Lekhika.Daemon.Http.Adopt;
using Lekhika.Daemon.Tests.Http.Support;
using Lekhika.Postgres.Adopt;
using Npgsql;
using Xunit;

namespace Lekhika.Daemon.Tests.Http;

/// <summary>The keys of the Lekhika platform's accounts: in the body of /execute, and in a header for stop and resume.</summary>
public sealed class EngineKeyTests
{
    private const string Key = "LEKH-2-the-right-one";
    private const string Workflow = """{"nodes":[{"id":"a","type":"set","config":{"values":{"x":1}}}],"edges":[]}""";
    private static readonly Guid Id = Guid.Parse("0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e");
    private static readonly Guid Engine = Guid.Parse("11111111-4c1e-7d2b-9a55-3f6f0b1c2d3e");
    private static readonly Guid User = Guid.Parse("22222222-4c1e-7d2b-9a55-3f6f0b1c2d3e");

    private static Task<TestServer> StartAsync(bool allows = true, bool isBroken = false) =>
        TestServer.StartAsync(context => context with { EngineKeys = new Keys(isBroken), AllowsKeyControl = allows });

    private static string Body(string? key = Key, string? engine = null, string? user = null) => $$$"""
        {"lekhikaApiKey":{{{JsonSerializer.Serialize(key)}}},"userEngineId":"{{{engine ?? Engine.ToString()}}}","masterEngineId":"m","userId":"{{{user ?? User.ToString()}}}",
         "workflow":{{{Workflow}}},"inputs":{},"options":{"api_key":"{{{key}}}"}}
        """;

    private static async Task<(HttpResponseMessage Response, JsonElement Body)> WithKeyAsync(
        TestServer server, string path, string? key, string? secret = null, string body = "")
    {
        using var client = server.NewClient(withSecret: false);
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (key is not null) request.Headers.Add("X-Lekhika-API-Key", key);
        if (secret is not null) request.Headers.Add("X-Internal-Auth", secret);
        return await TestServer.ReadAsync(await client.SendAsync(request, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Execute_takes_the_right_key_and_keeps_it_nowhere()
    {
        await using var server = await StartAsync();
        var (response, body) = await server.PostAsync("/execute", Body());
        Assert.True(response.StatusCode == HttpStatusCode.Accepted, body.GetRawText());
        var submission = Assert.Single(server.Intake.Submissions);
        Assert.DoesNotContain(Key, submission.ToString(), StringComparison.Ordinal);
        Assert.Contains(Engine.ToString(), submission.Request, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("LEKH-2-the-right-onf", null, null)]
    [InlineData("LEKH-2-the-right-one ", null, null)]
    [InlineData(Key, "22222222-4c1e-7d2b-9a55-3f6f0b1c2d3e", null)]
    [InlineData(Key, null, "11111111-4c1e-7d2b-9a55-3f6f0b1c2d3e")]
    [InlineData(Key, "no uuid", null)]
    public async Task Execute_refuses_a_key_that_is_not_that_engines(string key, string? engine, string? user)
    {
        await using var server = await StartAsync();
        var (response, body) = await server.PostAsync("/execute", Body(key, engine, user));
        Assert.Equal((HttpStatusCode.Forbidden, "invalid_api_key"), (response.StatusCode, body.GetProperty("code").GetString()));
        Assert.DoesNotContain(key, body.GetRawText(), StringComparison.Ordinal);
        Assert.Empty(server.Intake.Submissions);
    }

    [Fact]
    public async Task Execute_wants_the_key_where_an_engine_is_named_and_only_there()
    {
        await using var server = await StartAsync();
        var (response, body) = await server.PostAsync("/execute", Body(null));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("lekhikaApiKey", body.GetProperty("required")[0].GetString());
        (response, _) = await server.PostAsync("/execute", $$"""{"workflow":{{Workflow}},"userId":"x"}""");
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
    }

    [Fact]
    public async Task Keys_that_cannot_be_read_are_a_503_that_can_be_tried_again()
    {
        await using var server = await StartAsync(isBroken: true);
        var (response, body) = await server.PostAsync("/execute", Body());
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "unavailable"), (response.StatusCode, body.GetProperty("code").GetString()));
        Assert.NotNull(response.Headers.RetryAfter);
        Assert.Empty(server.Intake.Submissions);
    }

    [Fact]
    public async Task A_key_stops_and_resumes_what_is_its_users()
    {
        await using var server = await StartAsync();
        server.Store.Put(TestServer.Row(Id, "paused") with { UserId = User.ToString() });
        var (response, body) = await WithKeyAsync(server, "/resume", Key, body: $$"""{"executionId":"{{Id}}"}""");
        Assert.True(response.StatusCode == HttpStatusCode.OK, body.GetRawText());
        (response, body) = await WithKeyAsync(server, $"/stop/{Id}", Key);
        Assert.True(response.StatusCode == HttpStatusCode.OK, body.GetRawText());
        Assert.Equal("cancelled", body.GetProperty("status").GetString());
    }

    [Theory]
    [InlineData("LEKH-2-wrong", "22222222-4c1e-7d2b-9a55-3f6f0b1c2d3e")]
    [InlineData(Key, "11111111-4c1e-7d2b-9a55-3f6f0b1c2d3e")]
    [InlineData(Key, "ana")]
    [InlineData(Key, null)]
    [InlineData(Key, "none")]
    public async Task Somebody_elses_execution_and_one_that_is_not_there_are_refused_alike(string key, string? user)
    {
        await using var server = await StartAsync();
        if (user != "none") server.Store.Put(TestServer.Row(Id, "running") with { UserId = user });
        var (stop, one) = await WithKeyAsync(server, $"/stop/{Id}", key);
        var (resume, two) = await WithKeyAsync(server, "/resume", key, body: $$"""{"executionId":"{{Id}}"}""");
        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.Forbidden), (stop.StatusCode, resume.StatusCode));
        Assert.Equal("invalid_api_key", one.GetProperty("code").GetString());
        Assert.Equal(one.GetRawText(), two.GetRawText());
        Assert.Equal(0, server.Intake.Hints);
    }

    [Theory]
    [InlineData("/pause/0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e")]
    [InlineData("/retry/0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e")]
    [InlineData("/resume/0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e")]
    [InlineData("/execute")]
    [InlineData("/approve/0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e")]
    [InlineData("/STOP/0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e")]
    public async Task A_key_opens_nothing_else(string path)
    {
        await using var server = await StartAsync();
        server.Store.Put(TestServer.Row(Id, "running") with { UserId = User.ToString() });
        var (response, _) = await WithKeyAsync(server, path, Key);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Fact]
    public async Task A_key_opens_nothing_unless_that_is_allowed_nor_beside_a_wrong_secret()
    {
        await using var closed = await StartAsync(allows: false);
        closed.Store.Put(TestServer.Row(Id, "running") with { UserId = User.ToString() });
        Assert.Equal(HttpStatusCode.Unauthorized, (await WithKeyAsync(closed, $"/stop/{Id}", Key)).Response.StatusCode);
        await using var open = await StartAsync();
        open.Store.Put(TestServer.Row(Id, "running") with { UserId = User.ToString() });
        Assert.Equal(HttpStatusCode.Unauthorized, (await WithKeyAsync(open, $"/stop/{Id}", Key, "wrong")).Response.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await WithKeyAsync(open, $"/stop/{Id}", "LEKH-2-wrong", TestServer.Secret)).Response.StatusCode);
    }

    private sealed class Keys(bool isBroken) : IEngineKeys
    {
        public Task<List<string>> OfEngineAsync(Guid engine, Guid user, CancellationToken cancellationToken) =>
            isBroken ? throw Broken() : Task.FromResult<List<string>>(engine == Engine && user == User ? [Key] : []);

        public Task<List<string>> OfUserAsync(Guid user, CancellationToken cancellationToken) =>
            isBroken ? throw Broken() : Task.FromResult<List<string>>(user == User ? ["LEKH-2-another", Key] : ["LEKH-2-of-somebody"]);

        private static EngineKeysException Broken() => new(new PostgresException("relation \"user_engines\" does not exist", "ERROR", "ERROR", "42P01"));
    }
}

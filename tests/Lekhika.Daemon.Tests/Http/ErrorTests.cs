using System.Net;
using Lekhika.Daemon.Http;
using Lekhika.Daemon.Tests.Http.Support;
using Npgsql;
using Xunit;

namespace Lekhika.Daemon.Tests.Http;

public sealed class ErrorTests
{
    private static readonly Guid Id = Guid.Parse("0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e");

    [Fact]
    public async Task An_unknown_route_is_a_404_in_json()
    {
        await using var server = await TestServer.StartAsync();
        var (response, body) = await server.GetAsync("/no/such/route");
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("route_not_found", body.GetProperty("code").GetString());
        Assert.Contains("GET /no/such/route", body.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_method_is_a_405_that_names_the_right_one()
    {
        await using var server = await TestServer.StartAsync();
        var (response, body) = await server.GetAsync("/execute");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        Assert.Equal(["POST"], response.Content.Headers.Allow);
        Assert.Equal("method_not_allowed", body.GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("GET", "/status/42")]
    [InlineData("GET", "/status/42/events")]
    [InlineData("POST", "/stop/not-a-uuid")]
    public async Task An_id_that_is_no_uuid_is_a_400_that_says_so(string method, string path)
    {
        await using var server = await TestServer.StartAsync();
        var (response, body) = method == "GET" ? await server.GetAsync(path) : await server.PostAsync(path);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("invalid_id", body.GetProperty("code").GetString());
        Assert.Contains("UUID", body.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "/status/0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e")]
    [InlineData("GET", "/status/0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e/events")]
    [InlineData("POST", "/stop/0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e")]
    [InlineData("POST", "/pause/0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e")]
    [InlineData("POST", "/resume/0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e")]
    public async Task An_unknown_execution_is_a_404(string method, string path)
    {
        await using var server = await TestServer.StartAsync();
        var (response, body) = method == "GET" ? await server.GetAsync(path) : await server.PostAsync(path);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("execution_not_found", body.GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_fault_is_a_500_that_keeps_its_reason_to_the_log()
    {
        await using var server = await TestServer.StartAsync();
        server.Store.Fails = static () => new InvalidOperationException("inner thoughts");
        var (response, body) = await server.GetAsync($"/status/{Id}");
        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Equal("internal_error", body.GetProperty("code").GetString());
        Assert.DoesNotContain("inner thoughts", body.GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", body.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_is_away_is_a_503_with_retry_after()
    {
        await using var server = await TestServer.StartAsync();
        server.Store.Fails = static () => new NpgsqlException("connection refused");
        var (response, body) = await server.GetAsync($"/status/{Id}");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.NotNull(response.Headers.RetryAfter);
        Assert.Equal("database_unavailable", body.GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_database_that_is_silent_is_a_503_in_bounded_time()
    {
        await using var server = await TestServer.StartAsync(static context => context with { ReadPatience = TimeSpan.FromMilliseconds(50) });
        server.Store.IsSilent = true;
        var (response, body) = await server.GetAsync($"/status/{Id}");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal(HttpErrorCodes.DatabaseUnavailable, body.GetProperty("code").GetString());
    }
}

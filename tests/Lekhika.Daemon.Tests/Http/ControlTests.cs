using System.Net;
using Lekhika.Daemon.Tests.Http.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.Http;

public sealed class ControlTests
{
    private static readonly Guid Id = Guid.Parse("0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e");

    [Theory]
    [InlineData("stop", "running", "cancelled")]
    [InlineData("stop", "pending", "cancelled")]
    [InlineData("stop", "paused", "cancelled")]
    [InlineData("pause", "running", "paused")]
    [InlineData("resume", "paused", "running")]
    public async Task A_change_of_status_is_made_and_its_holder_told(string verb, string was, string becomes)
    {
        await using var server = await TestServer.StartAsync();
        server.Store.Put(TestServer.Row(Id, was));
        var (response, body) = await server.PostAsync($"/{verb}/{Id}");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.True(body.GetProperty("success").GetBoolean());
        Assert.Equal(Id, body.GetProperty("executionId").GetGuid());
        Assert.Equal(becomes, body.GetProperty("status").GetString());
        Assert.NotEmpty(body.GetProperty("message").GetString()!);
        Assert.Equal(1, server.Intake.Hints);
    }

    [Theory]
    [InlineData("stop", "completed")]
    [InlineData("stop", "cancelled")]
    [InlineData("pause", "failed")]
    [InlineData("resume", "completed")]
    [InlineData("resume", "cancelled")]
    [InlineData("retry", "completed")]
    public async Task A_finished_one_is_a_409_with_its_status(string verb, string status)
    {
        await using var server = await TestServer.StartAsync();
        server.Store.Put(TestServer.Row(Id, status));
        var (response, body) = await server.PostAsync($"/{verb}/{Id}");
        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Equal("already_finished", body.GetProperty("code").GetString());
        Assert.Equal(status, body.GetProperty("status").GetString());
        Assert.Equal(0, server.Intake.Hints);
    }

    [Fact]
    public async Task Resuming_what_runs_is_a_409_that_says_why_and_changes_nothing()
    {
        await using var server = await TestServer.StartAsync();
        server.Store.Put(TestServer.Row(Id, "waiting"));
        var (response, body) = await server.PostAsync($"/resume/{Id}");
        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Equal("conflict", body.GetProperty("code").GetString());
        Assert.Equal("waiting", body.GetProperty("status").GetString());
        Assert.Contains("waiting", body.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal(0, server.Intake.Hints);
    }

    [Fact]
    public async Task A_stop_goes_to_the_daemon_that_holds_it()
    {
        await using var holder = await TestServer.StartAsync();
        await using var asked = await TestServer.StartAsync();
        holder.Store.Put(TestServer.Row(Id, "running"));
        asked.Store.Put(TestServer.Row(Id, "running") with { OwnerUrl = holder.Url.ToString() });
        var (response, body) = await asked.PostAsync($"/stop/{Id}");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("cancelled", body.GetProperty("status").GetString());
        Assert.Equal(1, holder.Intake.Hints);
        Assert.Equal(0, asked.Intake.Hints);
    }

    [Fact]
    public async Task A_stop_whose_holder_is_gone_is_made_here()
    {
        await using var server = await TestServer.StartAsync();
        server.Store.Put(TestServer.Row(Id, "running") with { OwnerUrl = "http://127.0.0.1:1" });
        var (response, body) = await server.PostAsync($"/stop/{Id}");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("cancelled", body.GetProperty("status").GetString());
        Assert.Equal(1, server.Intake.Hints);
    }
}

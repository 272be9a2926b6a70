using System.Net;
using Lekhika.Daemon.Tests.Http.Support;
using Lekhika.Postgres.Signals;
using Xunit;

namespace Lekhika.Daemon.Tests.Http;

public sealed class SignalTests
{
    private static readonly Guid Id = new("0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e");

    [Fact]
    public async Task A_signal_is_accepted_once_and_whoever_waits_is_looked_for()
    {
        await using var server = await ServerAsync();
        var (response, body) = await server.PostAsync($"/executions/{Id}/signals", """{"name":"paid","payload":{"n":1},"step_key":"a[2].b","signal_id":"order-77"}""");
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        Assert.True(body.GetProperty("created").GetBoolean());
        var sent = Assert.Single(server.Signals.Sent);
        Assert.Equal(("paid", "a[2].b", """{"n":1}"""), (sent.Name, sent.StepKey, sent.Payload));
        Assert.Equal(1, server.Intake.Hints);

        (response, body) = await server.PostAsync($"/executions/{Id}/signals", """{"name":"paid","signal_id":"order-77"}""");
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        Assert.False(body.GetProperty("created").GetBoolean());
        Assert.Single(server.Signals.Sent);
    }

    [Theory]
    [InlineData("{}", "name")]
    [InlineData("""{"name":7}""", "name")]
    [InlineData("""{"name":"a\nb"}""", "name")]
    [InlineData("""{"name":"a","step_key":[]}""", "step_key")]
    public async Task A_signal_that_says_nothing_is_refused_with_the_field(string json, string field)
    {
        await using var server = await ServerAsync();
        var (response, body) = await server.PostAsync($"/executions/{Id}/signals", json);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("invalid_request", body.GetProperty("code").GetString());
        Assert.Equal(field, body.GetProperty("problems")[0].GetProperty("path").GetString());
        Assert.Empty(server.Signals.Sent);
    }

    [Theory]
    [InlineData("/executions/{0}/signals", """{"name":"a"}""")]
    [InlineData("/approve/{0}", "")]
    [InlineData("/reject/{0}", "{}")]
    public async Task Unknown_ids_are_not_found_and_finished_executions_take_no_signals(string path, string json)
    {
        await using var server = await ServerAsync("completed");
        server.Signals.Verdict = static _ => SignalVerdict.Finished;
        var (response, body) = await server.PostAsync(string.Format(null, path, Guid.NewGuid()), json);
        Assert.Equal((HttpStatusCode.NotFound, "execution_not_found"), (response.StatusCode, body.GetProperty("code").GetString()));
        (response, body) = await server.PostAsync(string.Format(null, path, Id), json);
        Assert.Equal((HttpStatusCode.Conflict, "already_finished"), (response.StatusCode, body.GetProperty("code").GetString()));
    }

    [Fact]
    public async Task The_only_open_approval_needs_no_name()
    {
        await using var server = await ServerAsync();
        server.Signals.Gates.Add(Gate("ask"));
        server.Signals.Gates.Add(Gate("before", answer: "approve"));
        var (response, body) = await server.PostAsync($"/approve/{Id}");
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        Assert.Equal("ask", body.GetProperty("step_key").GetString());
        (response, _) = await server.PostAsync($"/reject/{Id}", """{"node_id":"ask","comment":"no","by":"ana","payload":[1]}""");
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var rejected = server.Signals.Sent.Single(static signal => signal.Name == "reject");
        Assert.Equal("ask", rejected.StepKey);
        Assert.Equal("""{"by":"ana","comment":"no","payload":[1]}""", rejected.Payload);
    }

    [Theory]
    [InlineData("/approve/{0}", "")]
    [InlineData("/approve/{0}", """{"node_id":"check"}""")]
    [InlineData("/executions/{0}/signals", """{"name":"reject"}""")]
    public async Task With_several_open_the_reply_lists_them_and_nothing_is_sent(string path, string json)
    {
        await using var server = await ServerAsync();
        server.Signals.Gates.Add(Gate("each[0].check"));
        server.Signals.Gates.Add(Gate("each[1].check"));
        var (response, body) = await server.PostAsync(string.Format(null, path, Id), json);
        Assert.Equal((HttpStatusCode.Conflict, "ambiguous_approval"), (response.StatusCode, body.GetProperty("code").GetString()));
        Assert.Equal(["each[0].check", "each[1].check"], body.GetProperty("gates").EnumerateArray().Select(static gate => gate.GetProperty("step_key").GetString()));
        Assert.Equal("approve", body.GetProperty("gates")[0].GetProperty("options")[0].GetString());
        Assert.Empty(server.Signals.Sent);

        (response, _) = await server.PostAsync($"/approve/{Id}", """{"step_key":"each[1].check"}""");
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
    }

    [Fact]
    public async Task What_the_row_does_not_wait_for_any_more_is_not_open()
    {
        await using var server = await ServerAsync();
        server.Store.Put(TestServer.Row(Id, "waiting") with { WaitingFor = TestServer.Json("""{"reason":"wait","steps":[{"step":"b"}]}""") });
        server.Signals.Gates.Add(Gate("a"));
        server.Signals.Gates.Add(Gate("b"));
        var (_, body) = await server.PostAsync($"/approve/{Id}");
        Assert.Equal("b", body.GetProperty("step_key").GetString());
    }

    [Fact]
    public async Task An_answer_that_is_none_of_the_options_is_refused_with_them()
    {
        await using var server = await ServerAsync();
        server.Signals.Gates.Add(Gate("ask", options: """["publish","drop"]"""));
        var (response, body) = await server.PostAsync($"/approve/{Id}");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains("publish, drop", body.GetProperty("error").GetString(), StringComparison.Ordinal);
        (response, _) = await server.PostAsync($"/approve/{Id}", """{"answer":"publish"}""");
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
    }

    [Fact]
    public async Task An_answer_to_nothing_is_refused_unless_it_names_its_step()
    {
        await using var server = await ServerAsync();
        var (response, body) = await server.PostAsync($"/approve/{Id}");
        Assert.Equal((HttpStatusCode.Conflict, "no_open_approval"), (response.StatusCode, body.GetProperty("code").GetString()));
        Assert.Equal(0, body.GetProperty("gates").GetArrayLength());
        (response, _) = await server.PostAsync($"/approve/{Id}", """{"step_key":"each[4].check"}""");
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
    }

    [Fact]
    public async Task An_approval_is_answered_once_but_a_repetition_under_its_id_is_accepted()
    {
        await using var server = await ServerAsync();
        server.Signals.Gates.Add(Gate("ask"));
        const string Body = """{"signal_id":"click-1"}""";
        Assert.Equal(HttpStatusCode.Accepted, (await server.PostAsync($"/approve/{Id}", Body)).Response.StatusCode);
        server.Signals.Gates[0] = Gate("ask", answer: "approve");
        Assert.Equal(HttpStatusCode.Accepted, (await server.PostAsync($"/approve/{Id}", Body)).Response.StatusCode);
        var (response, body) = await server.PostAsync($"/approve/{Id}", """{"step_key":"ask"}""");
        Assert.Equal((HttpStatusCode.Conflict, "conflict"), (response.StatusCode, body.GetProperty("code").GetString()));
        Assert.Single(server.Signals.Sent);
    }

    private static async Task<TestServer> ServerAsync(string status = "running")
    {
        var server = await TestServer.StartAsync();
        server.Store.Put(TestServer.Row(Id, status));
        return server;
    }

    private static ApprovalGate Gate(string key, string? answer = null, string options = """["approve","reject"]""") =>
        new(key, null, TestServer.Json($$"""{"kind":"approval","message":"?","options":{{options}}}"""), answer);
}

using System.Net;
using Lekhika.Daemon.Tests.Http.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.Http;

public sealed class EventsTests
{
    private static readonly Guid Id = Guid.Parse("0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e");
    private static readonly string Path = $"/status/{Id}/events";

    [Fact]
    public async Task A_stream_begins_with_a_snapshot_goes_on_with_events_and_ends()
    {
        await using var server = await TestServer.StartAsync();
        var run = new TestRun(Id).Begin().Say("Riv");
        server.Live.Add(run.Live);
        using var events = await EventReader.OpenAsync(server, Path);
        Assert.Equal("no", events.Response.Headers.GetValues("X-Accel-Buffering").Single());

        Assert.Equal(": connected", (await events.NextAsync())!.Name);
        var snapshot = await events.NextAsync();
        Assert.Equal("snapshot", snapshot!.Name);
        Assert.Equal("Riv", snapshot.Json.GetProperty("steps")[0].GetProperty("text").GetString());
        Assert.Equal("rivers", snapshot.Json.GetProperty("userInput").GetProperty("topic").GetString());
        run.Say("ers").Answer("Rivers").Complete();
        var rest = await events.RestAsync();

        Assert.Equal(["text", "node", "progress", "state", "end"], rest.Select(static one => one.Name));
        Assert.Equal("ers", rest[0].Json.GetProperty("text").GetString());
        Assert.Equal("completed", rest[^1].Json.GetProperty("status").GetString());
        var numbers = rest.Select(static one => int.Parse(one.Id!.Split('.')[1], System.Globalization.CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(numbers.Order(), numbers);
        Assert.Equal(int.Parse(snapshot.Id!.Split('.')[1], System.Globalization.CultureInfo.InvariantCulture) + 1, numbers[0]);
    }

    [Fact]
    public async Task A_client_that_comes_back_gets_what_it_missed_and_nothing_twice()
    {
        await using var server = await TestServer.StartAsync();
        var run = new TestRun(Id).Begin().Say("a");
        server.Live.Add(run.Live);
        string last;
        using (var first = await EventReader.OpenAsync(server, Path))
        {
            last = (await first.UntilAsync("snapshot")).Id!;
        }

        run.Say("b").Say("c");
        using var again = await EventReader.OpenAsync(server, Path, last);
        Assert.Equal(": connected", (await again.NextAsync())!.Name);
        Assert.Equal("b", (await again.NextAsync())!.Json.GetProperty("text").GetString());
        var missed = await again.NextAsync();
        Assert.Equal("c", missed!.Json.GetProperty("text").GetString());
        run.Complete();
        Assert.Equal(["state", "end"], (await again.RestAsync()).Select(static one => one.Name));
    }

    [Theory]
    [InlineData("9.1")]
    [InlineData("1.9999")]
    [InlineData("nonsense")]
    public async Task An_unknown_last_event_id_begins_with_a_snapshot(string lastEventId)
    {
        await using var server = await TestServer.StartAsync();
        server.Live.Add(new TestRun(Id).Begin().Live);
        using var events = await EventReader.OpenAsync(server, Path, lastEventId);
        await events.NextAsync();
        Assert.Equal("snapshot", (await events.NextAsync())!.Name);
    }

    [Fact]
    public async Task One_that_is_over_is_a_snapshot_and_an_end()
    {
        await using var server = await TestServer.StartAsync();
        server.Live.Add(new TestRun(Id).Begin().Answer("x").Complete().Live);
        var other = Guid.Parse("0197f3a0-4c1e-7d2b-9a55-000000000001");
        server.Store.Put(TestServer.Row(other, "failed") with { Error = "why" });
        using var live = await EventReader.OpenAsync(server, Path);
        Assert.Equal([": connected", "snapshot", "end"], (await live.RestAsync()).Select(static one => one.Name));
        using var stored = await EventReader.OpenAsync(server, $"/status/{other}/events");
        var rest = await stored.RestAsync();
        Assert.Equal([": connected", "snapshot", "end"], rest.Select(static one => one.Name));
        Assert.Equal("why", rest[^1].Json.GetProperty("error").GetString());
    }

    [Fact]
    public async Task A_silent_stream_has_heartbeats()
    {
        await using var server = await TestServer.StartAsync(static context => context with { Heartbeat = TimeSpan.FromMilliseconds(30) });
        server.Live.Add(new TestRun(Id).Begin().Live);
        using var events = await EventReader.OpenAsync(server, Path);
        await events.UntilAsync("snapshot");
        Assert.Equal(": heartbeat", (await events.NextAsync())!.Name);
        Assert.Equal(": heartbeat", (await events.NextAsync())!.Name);
    }

    [Fact]
    public async Task A_slow_reader_holds_up_nobody_and_sees_the_end()
    {
        await using var server = await TestServer.StartAsync();
        var run = new TestRun(Id).Begin();
        server.Live.Add(run.Live);
        using var events = await EventReader.OpenAsync(server, Path);
        await events.UntilAsync("snapshot");
        // More than all buffers in between hold, and more events than its channel does. Nobody reads meanwhile.
        var piece = new string('x', 16 * 1024);
        for (var i = 0; i < 4000; i++) run.Say(piece);
        run.Answer("short").Complete();

        var rest = await events.RestAsync();
        Assert.Contains(rest, static one => one.Name == "snapshot");
        Assert.True(rest.Count < 4000, "nothing was left out");
        Assert.Equal("end", rest[^1].Name);
        Assert.Equal("completed", rest[^1].Json.GetProperty("status").GetString());
        var numbers = rest.Where(static one => one.Id is not null)
            .Select(static one => int.Parse(one.Id!.Split('.')[1], System.Globalization.CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(numbers.Order(), numbers);
    }

    [Fact]
    public async Task A_queued_one_is_followed_by_its_row_until_it_is_held_here()
    {
        await using var server = await TestServer.StartAsync();
        server.Store.Put(TestServer.Row(Id, "pending"));
        using var events = await EventReader.OpenAsync(server, Path);
        Assert.Equal("pending", (await events.UntilAsync("snapshot")).Json.GetProperty("status").GetString());
        server.Store.Put(TestServer.Row(Id, "paused"));
        Assert.Equal("paused", (await events.UntilAsync("state")).Json.GetProperty("status").GetString());
        var run = new TestRun(Id, epoch: 2).Begin();
        server.Live.Add(run.Live);
        Assert.StartsWith("2.", (await events.UntilAsync("snapshot")).Id, StringComparison.Ordinal);
        run.Complete();
        await events.UntilAsync("end");
        Assert.Null(await events.NextAsync());
    }

    [Fact]
    public async Task One_that_leaves_this_daemon_is_followed_on()
    {
        await using var server = await TestServer.StartAsync();
        var run = new TestRun(Id).Begin();
        run.Live.SetProgress(60);
        server.Live.Add(run.Live);
        server.Store.Put(TestServer.Row(Id, "waiting"));
        using var events = await EventReader.OpenAsync(server, Path);
        await events.UntilAsync("snapshot");
        server.Live.Forget(run.Live);
        run.Live.Leave("waiting", null);
        await events.UntilAsync("leave");
        var picture = await events.UntilAsync("snapshot");
        Assert.Equal("waiting", picture.Json.GetProperty("status").GetString());
        Assert.Equal(60, picture.Json.GetProperty("progress").GetDouble());
        server.Store.Put(TestServer.Row(Id, "completed"));
        await events.UntilAsync("end");
    }

    [Fact]
    public async Task One_that_another_daemon_holds_is_followed_there()
    {
        await using var holder = await TestServer.StartAsync();
        await using var asked = await TestServer.StartAsync();
        var run = new TestRun(Id).Begin();
        holder.Live.Add(run.Live);
        asked.Store.Put(TestServer.Row(Id, "running") with { OwnerUrl = holder.Url.ToString() });
        using var events = await EventReader.OpenAsync(asked, Path);
        await events.UntilAsync("snapshot");
        run.Say("from over there");
        Assert.Equal("from over there", (await events.UntilAsync("text")).Json.GetProperty("text").GetString());
        run.Complete();
        await events.UntilAsync("end");
        Assert.Null(await events.NextAsync());
    }

    [Fact]
    public async Task One_that_comes_here_from_another_daemon_is_followed_here()
    {
        await using var holder = await TestServer.StartAsync();
        await using var asked = await TestServer.StartAsync();
        var there = new TestRun(Id).Begin();
        holder.Live.Add(there.Live);
        asked.Store.Put(TestServer.Row(Id, "running") with { OwnerUrl = holder.Url.ToString() });
        using var events = await EventReader.OpenAsync(asked, Path);
        await events.UntilAsync("snapshot");
        var here = new TestRun(Id, epoch: 2).Begin();
        asked.Live.Add(here.Live);
        holder.Live.Forget(there.Live);
        there.Live.Leave("running", null);
        await events.UntilAsync("leave");
        Assert.StartsWith("2.", (await events.UntilAsync("snapshot")).Id, StringComparison.Ordinal);
        here.Say("here");
        Assert.Equal("here", (await events.UntilAsync("text")).Json.GetProperty("text").GetString());
    }

    [Fact]
    public async Task A_client_that_comes_back_by_way_of_another_daemon_misses_nothing_either()
    {
        await using var holder = await TestServer.StartAsync();
        await using var asked = await TestServer.StartAsync();
        var run = new TestRun(Id).Begin();
        holder.Live.Add(run.Live);
        var last = run.Live.Snapshot().EventId;
        run.Say("missed");
        asked.Store.Put(TestServer.Row(Id, "running") with { OwnerUrl = holder.Url.ToString() });
        using var events = await EventReader.OpenAsync(asked, Path, last);
        Assert.Equal([": connected", ": connected"], [(await events.NextAsync())!.Name, (await events.NextAsync())!.Name]);
        Assert.Equal("missed", (await events.NextAsync())!.Json.GetProperty("text").GetString());
    }

    [Fact]
    public async Task A_holder_that_goes_away_is_replaced_by_the_row()
    {
        var holder = await TestServer.StartAsync();
        await using var asked = await TestServer.StartAsync();
        holder.Live.Add(new TestRun(Id).Begin().Live);
        asked.Store.Put(TestServer.Row(Id, "running") with { OwnerUrl = holder.Url.ToString() });
        using var events = await EventReader.OpenAsync(asked, Path);
        await events.UntilAsync("snapshot");
        await holder.DisposeAsync();
        await events.UntilAsync("snapshot");
        asked.Store.Put(TestServer.Row(Id, "completed"));
        await events.UntilAsync("end");
    }

    [Fact]
    public async Task A_deleted_execution_ends_its_streams()
    {
        await using var server = await TestServer.StartAsync();
        server.Store.Put(TestServer.Row(Id, "waiting"));
        using var events = await EventReader.OpenAsync(server, Path);
        await events.UntilAsync("snapshot");
        server.Store.Remove(Id);
        Assert.Equal("deleted", (await events.UntilAsync("end")).Json.GetProperty("status").GetString());
    }

    [Fact]
    public async Task More_streams_than_there_may_be_are_a_503()
    {
        await using var server = await TestServer.StartAsync(static context => context with { MaxStreams = 1 });
        server.Live.Add(new TestRun(Id).Begin().Live);
        using var events = await EventReader.OpenAsync(server, Path);
        var (response, body) = await server.GetAsync(Path);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("too_many_streams", body.GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_server_that_stops_ends_its_streams()
    {
        var server = await TestServer.StartAsync();
        server.Live.Add(new TestRun(Id).Begin().Live);
        using var events = await EventReader.OpenAsync(server, Path);
        await events.UntilAsync("snapshot");
        await server.StopAsync();
        Assert.Null(await events.NextAsync());
        await server.DisposeAsync();
    }
}

using System.Globalization;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>Three daemons behind one address: a client that is sent to any of them for each request notices nothing of it.</summary>
public sealed class FleetTests(Servers servers)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_client_sent_to_a_random_daemon_for_each_request_sees_one_service()
    {
        await using var scene = await Scene.BeginAsync(servers, Scene.Fast with { Parallel = 12 });
        var fleet = await FleetAsync(scene);
        var random = new Random(7);
        DaemonProcess Any() => fleet[random.Next(fleet.Count)];

        var ids = new List<Guid>();
        for (var i = 0; i < 12; i++)
        {
            var id = Guid.NewGuid();
            ids.Add(id);
            var body = $$$"""{"executionId":"{{{id}}}","workflow":{{{Flows.Chain(Flows.Slowly(40, 60), Flows.Say("then"), Flows.Slowly(40, 60))}}},"inputs":{}}""";
            var (status, reply) = await Any().PostAsync("execute", body, Cancellation);
            Assert.Equal(202, status);
            Assert.True(reply.GetProperty("created").GetBoolean());

            // The same again, to whichever: the same execution.
            var (again, repeated) = await Any().PostAsync("execute", body, Cancellation);
            Assert.InRange(again, 200, 202);
            Assert.False(repeated.GetProperty("created").GetBoolean());
        }

        var seen = ids.ToDictionary(static id => id, static _ => 0.0);
        var open = new HashSet<Guid>(ids);
        for (var begun = TimeProvider.System.GetTimestamp(); open.Count > 0 && TimeProvider.System.GetElapsedTime(begun) < TimeSpan.FromSeconds(60);)
        {
            foreach (var id in open.ToList())
            {
                var (status, body) = await Any().GetAsync($"status/{id}", Cancellation);
                Assert.Equal(200, status);
                var progress = body.GetProperty("progress").GetDouble();
                Assert.True(progress >= seen[id], string.Create(CultureInfo.InvariantCulture, $"{id} went back from {seen[id]} to {progress}"));
                seen[id] = progress;
                var word = body.GetProperty("status").GetString();
                Assert.Contains(word, (string[])["pending", "running", "completed"]);
                if (word != "completed") continue;
                // And stays so, whoever is asked.
                foreach (var daemon in fleet) Assert.Equal("completed", (await daemon.GetAsync($"status/{id}", Cancellation)).Body.GetProperty("status").GetString());
                open.Remove(id);
            }
        }

        Assert.Empty(open);
        Assert.Equal(36, scene.Ollama.Stats.Completions);
    }

    [Fact]
    public async Task A_stream_and_a_stop_by_way_of_another_daemon_reach_the_one_that_holds_the_execution()
    {
        await using var scene = await Scene.BeginAsync(servers, Scene.Fast with { Parallel = 12 });
        var fleet = await FleetAsync(scene);
        foreach (var asked in fleet)
        {
            var id = await scene.InsertAsync(Flows.OneModel(Flows.Slowly(2000, 50)));
            await asked.UntilAsync($"status/{id}", static (_, body) => body.GetProperty("currentOutput").GetString() is { Length: > 0 }, Cancellation);
            var (pieces, ended) = (0, "");
            await foreach (var sent in EventLines.FollowAsync(asked.Http, id, lastEventId: null, Cancellation))
            {
                if (sent.Name == "text" && ++pieces == 5)
                {
                    var other = fleet[(fleet.IndexOf(asked) + 1) % fleet.Count];
                    Assert.Equal(200, (await other.PostAsync($"stop/{id}", "", Cancellation)).Status);
                }

                if (sent.Name == "end") ended = sent.Data.GetProperty("status").GetString()!;
            }

            Assert.True(pieces >= 5);
            Assert.Equal("cancelled", ended);
        }
    }

    private static async Task<List<DaemonProcess>> FleetAsync(Scene scene)
    {
        var fleet = new List<DaemonProcess>();
        foreach (var name in (string[])["one", "two", "three"])
        {
            var daemon = await scene.DaemonAsync(setup =>
            {
                setup.Settings["worker.id"] = name;
                setup.Settings["ollama.parallelism"] = "12";
            });
            await daemon.UntilAsync("health/ready", static (status, _) => status == 200, Cancellation);
            fleet.Add(daemon);
        }

        return fleet;
    }
}

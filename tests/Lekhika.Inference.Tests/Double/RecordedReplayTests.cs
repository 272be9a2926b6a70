using Lekhika.Doubles;
using Xunit;

namespace Lekhika.Inference.Tests.Double;

/// <summary>Holds the double to the recordings of a real server: status, the headers that matter, and the shape of every line.</summary>
public sealed class RecordedReplayTests
{
    private static readonly string[] HeadersThatMatter =
        ["content-type", "location", "allow", "access-control-allow-origin", "access-control-allow-headers", "access-control-allow-methods", "access-control-max-age", "vary"];

    public static TheoryData<string> Replayed
    {
        get
        {
            var data = new TheoryData<string>();
            foreach (var exchange in Recordings.Exchanges.Where(ReplayPlan.IsReplayed))
                data.Add(exchange.Case);
            if (data.Count == 0)
                data.Add("");
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Replayed))]
    public async Task The_double_answers_as_recorded(string name)
    {
        Recordings.SkipIfMissing();
        var token = TestContext.Current.CancellationToken;
        var recorded = Recordings.Get(name);
        await using var ollama = await OllamaDouble.StartAsync(ReplaySetting.Options(name), token);
        await ReplaySetting.ArrangeAsync(ollama, name, token);

        var reply = await RawHttp.SendAsync(ollama.BaseAddress, recorded, ReplaySetting.Body(recorded), token);

        Assert.Equal(recorded.Status, reply.Status);
        foreach (var header in HeadersThatMatter)
            Assert.Equal($"{header}: {recorded.Headers.GetValueOrDefault(header)}", $"{header}: {Named(reply, header)}");
        var type = recorded.Headers.GetValueOrDefault("content-type", "");
        if (type.StartsWith("application/x-ndjson", StringComparison.Ordinal) || type.StartsWith("text/event-stream", StringComparison.Ordinal))
            Assert.Equal(recorded.Headers.GetValueOrDefault("transfer-encoding"), Named(reply, "transfer-encoding"));
        if (recorded.Method == "HEAD")
            return;
        Assert.Equal(Shape.Of(type, recorded.Body), Shape.Of(type, reply.Body));
        Assert.True(reply.Complete);
    }

    [Fact]
    public void Every_recorded_exchange_is_replayed_or_played_or_left_out_for_a_reason()
    {
        Recordings.SkipIfMissing();
        var forgotten = Recordings.Exchanges
            .Where(exchange => !ReplayPlan.IsReplayed(exchange) && !ReplayPlan.LeftOut.ContainsKey(exchange.Case) && ReplayPlan.PlayedBy(exchange.Case) is null)
            .Select(exchange => exchange.Case);
        Assert.Empty(forgotten);
        var unknown = ReplayPlan.LeftOut.Keys.Where(name => Recordings.Exchanges.All(exchange => exchange.Case != name));
        Assert.Empty(unknown);
        Assert.All(ReplayPlan.LeftOut.Values, Assert.NotEmpty);
    }

    private static string? Named(RawReply reply, string header) => reply.Headers.GetValueOrDefault(header);
}

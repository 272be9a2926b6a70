using Lekhika.Daemon.Tests.EndToEnd.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>Long texts, whose chapters are steps of their own.</summary>
public sealed class BookTests(Servers servers)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_book_whose_writer_is_killed_goes_on_at_the_chapter_it_had_reached()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var first = await scene.DaemonAsync();
        var id = await scene.InsertAsync(
            """
            {"nodes":[{"id":"write","type":"chapters","config":{"model":"llama3.2","title":"Mine","chapters":3,
                "structure":"{\"chapter_breakdown\":[\"One\",\"Two\",\"Three\"]}",
                "prompt":"CHAPTER {{ item.number }} [[double:tokens:{{ item.number == 2 ? 100 : 5 }}]] [[double:speed:{{ item.number == 2 ? 20 : 2000 }}]]"}},
             {"id":"out","type":"output","config":{"from":"write","format":"markdown"}}],"edges":[{"from":"write","to":"out"}]}
            """);
        await scene.UntilOllamaAsync(static stats => stats.Generating == 1 && stats.Seen.Any(static request => request.Body.Contains("CHAPTER 2", StringComparison.Ordinal)));
        var (_, shown) = await first.GetAsync($"status/{id}", Cancellation);
        Assert.Equal(1, shown.GetProperty("chaptersGenerated").GetInt32());
        await first.KillAsync();

        await scene.DaemonAsync(setup => setup.StateDirectory = first.StateDirectory);
        var end = await scene.EndAsync(id);
        Assert.Equal("completed", end.Status);
        Assert.Contains("3. Three", end.Result, StringComparison.Ordinal);
        Assert.Equal([1, 2, 1], Enumerable.Range(1, 3).Select(n => scene.Ollama.Stats.Seen.Count(request => request.Body.Contains($"CHAPTER {n} ", StringComparison.Ordinal))));
    }
}

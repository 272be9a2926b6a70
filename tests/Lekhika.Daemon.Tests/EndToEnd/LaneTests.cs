using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Doubles;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>Many jobs with two phases on two models, and a server that holds one model at a time.</summary>
public sealed class LaneTests(Servers servers)
{
    private const int Jobs = 40;

    private static readonly TimeSpan Swap = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Service = TimeSpan.FromMilliseconds(50);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static OllamaDoubleOptions OneModelAtATime => new()
    {
        Models = [new DoubleModel { Name = "analyse" }, new DoubleModel { Name = "write" }],
        MaxLoadedModels = 1,
        Parallel = 1,
        LoadTime = Swap - TimeSpan.FromMilliseconds(20),
        SwapTime = TimeSpan.FromMilliseconds(20),
        ReplyTokens = 10,
        TokensPerSecond = 10 / Service.TotalSeconds,
    };

    [Fact]
    public async Task Forty_jobs_of_two_phases_cost_within_15_percent_of_the_best_order()
    {
        await using var scene = await Scene.BeginAsync(servers, OneModelAtATime);
        var workflow = await scene.WorkflowAsync(TwoPhases());
        await scene.DaemonAsync(setup =>
        {
            setup.Settings["ollama.parallelism"] = "1";
            setup.Settings["ollama.max_wait"] = "3s";
        });

        await scene.Database.ExecuteAsync(
            "INSERT INTO lekhika.workflow_executions (workflow_id, inputs) SELECT $1, '{}' FROM generate_series(1, $2)", Cancellation, workflow, Jobs);
        await UntilAllCompletedAsync(scene, Jobs);

        // Time as the server spends it, so that a busy machine does not decide: loads and replies. The best order loads each model once; job after job
        // loads one for every request.
        var cost = (scene.Ollama.Stats.Loads * Swap) + (2 * Jobs * Service);
        var best = (2 * Swap) + (2 * Jobs * Service);
        var jobAfterJob = 2 * Jobs * (Swap + Service);
        Assert.True(cost <= best * 1.15, $"{scene.Ollama.Stats.Loads} loads: {cost} where the best order takes {best}");
        Assert.True(jobAfterJob > best * 5);
    }

    [Fact]
    public async Task Two_daemons_that_share_a_server_do_not_make_it_swap_against_each_other()
    {
        await using var scene = await Scene.BeginAsync(servers, OneModelAtATime);
        var (analyse, write) = (await scene.WorkflowAsync(Phase("analyse")), await scene.WorkflowAsync(Phase("write")));
        for (var i = 0; i < 2; i++)
        {
            await scene.DaemonAsync(static setup =>
            {
                setup.Settings["ollama.parallelism"] = "1";
                setup.Settings["ollama.max_wait"] = "3s";
                setup.Settings["worker.max_claimed"] = "10";
            });
        }

        await scene.UntilSqlAsync<long>("SELECT count(*) FROM lekhika.workers WHERE NOT revoked", static count => count == 2);
        await scene.Database.ExecuteAsync(
            "INSERT INTO lekhika.workflow_executions (workflow_id, inputs) SELECT CASE n % 2 WHEN 0 THEN $1 ELSE $2 END, '{}' FROM generate_series(1, $3) AS n",
            Cancellation, analyse, write, Jobs);
        await UntilAllCompletedAsync(scene, Jobs);

        Assert.True(scene.Ollama.Stats.Loads <= 10, $"{scene.Ollama.Stats.Loads} loads for {Jobs} requests");
    }

    private static Task<long> UntilAllCompletedAsync(Scene scene, int count) => scene.UntilSqlAsync<long>(
        "SELECT count(*) FROM lekhika.workflow_executions WHERE status = 'completed'", completed => completed == count, seconds: 60);

    private static string Phase(string model) =>
        Flows.OneModel("go", model);

    private static string TwoPhases() => """
        {"nodes":[{"id":"a","type":"llm","config":{"model":"analyse","prompt":"plan"}},
                  {"id":"b","type":"llm","config":{"model":"write","prompt":"{{ nodes[\"a\"].text }}"}}],
         "edges":[{"from":"a","to":"b"}]}
        """;
}

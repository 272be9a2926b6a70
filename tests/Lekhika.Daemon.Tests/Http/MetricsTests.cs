using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using Lekhika.Daemon.Diagnostics.Metrics;
using Lekhika.Daemon.Tests.Http.Support;
using Lekhika.Inference;
using Lekhika.Inference.Lanes;
using Lekhika.Workflows.Execution;
using Xunit;

namespace Lekhika.Daemon.Tests.Http;

public sealed class MetricsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Metrics_tell_how_the_daemon_stands_and_what_it_did()
    {
        await using var server = await TestServer.StartAsync();
        await FillAsync(server);
        var text = await TextAsync(server);
        Assert.Contains("lekhika_build_info{version=\"0.1.0-test\",worker=\"worker-1\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("\nlekhika_queue_ready 3\n", text, StringComparison.Ordinal);
        Assert.Contains("\nlekhika_queue_oldest_age_seconds 90\n", text, StringComparison.Ordinal);
        Assert.Contains("\nlekhika_lane_depth{endpoint=\"ollama\",model=\"qwen2.5:0.5b\"} 2\n", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE lekhika_executions_finished_total counter\n", text, StringComparison.Ordinal);
        Assert.Contains("lekhika_execution_duration_seconds_bucket{status=\"completed\",le=\"+Inf\"}", text, StringComparison.Ordinal);
        Assert.Contains("lekhika_node_retries_total{type=\"llm\"}", text, StringComparison.Ordinal);
        Assert.Contains("lekhika_model_tokens_total{model=\"qwen \\\"2\\\"\",direction=\"out\"}", text, StringComparison.Ordinal);
        Assert.Contains("lekhika_http_requests_total{method=\"GET\",route=\"/executions/{id}\",status=\"404\"}", text, StringComparison.Ordinal);
        Assert.Contains("lekhika_http_requests_total{method=\"GET\",route=\"none\",status=\"404\"}", text, StringComparison.Ordinal);
        Assert.DoesNotContain("no/such/route", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lanes_of_one_model_add_up_their_depths_and_tell_the_oldest_age_of_them_all()
    {
        await using var server = await TestServer.StartAsync(static context => context with
        {
            Lanes = static () => new PoolSnapshot
            {
                Endpoints =
                [
                    new EndpointSnapshot
                    {
                        Name = "ollama",
                        Address = "http://127.0.0.1:11434",
                        Lanes =
                        [
                            new LaneSnapshot { Model = "m", State = "serving", Depth = 2, OldestAge = TimeSpan.FromSeconds(40) },
                            new LaneSnapshot { Model = "m", Runner = "num_ctx=16384", State = "away", Depth = 3, OldestAge = TimeSpan.FromSeconds(50) },
                        ],
                    },
                ],
            },
        });
        using var client = server.NewClient();
        var text = await client.GetStringAsync(new Uri("/metrics", UriKind.Relative), Cancellation);
        Assert.Contains("\nlekhika_lane_depth{endpoint=\"ollama\",model=\"m\"} 5\n", text, StringComparison.Ordinal);
        Assert.Contains("\nlekhika_lane_oldest_age_seconds{endpoint=\"ollama\",model=\"m\"} 50\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metrics_need_the_secret()
    {
        await using var server = await TestServer.StartAsync();
        using var stranger = server.NewClient(withSecret: false);
        using var response = await stranger.GetAsync(new Uri("/metrics", UriKind.Relative), Cancellation);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Fact]
    public async Task Promtool_finds_nothing_wrong_with_metrics_and_alerts()
    {
        Assert.SkipUnless(Array.Exists(Paths("promtool"), File.Exists), "promtool is not installed (Debian: apt install prometheus)");
        await using var server = await TestServer.StartAsync();
        await FillAsync(server);
        var (code, said) = await PromtoolAsync(await TextAsync(server), "check", "metrics");
        Assert.True(code == 0, said);
        (code, said) = await PromtoolAsync("", "check", "rules", Path.Combine(Root(), "packaging", "prometheus", "alerts.yml"));
        Assert.True(code == 0, said);
    }

    [Fact]
    public async Task Alerts_and_dashboard_speak_of_metrics_that_there_are()
    {
        await using var server = await TestServer.StartAsync();
        await FillAsync(server);
        Instruments.LeaseLost();
        Instruments.Claimed(1);
        Instruments.ReconciledPlaces(1);
        Instruments.Rescued(1);
        server.Endpoints(new ModelInfo("m"));
        var there = (await TextAsync(server)).Split('\n').Where(static line => line.StartsWith("# TYPE ", StringComparison.Ordinal))
            .Select(static line => line.Split(' ')[2]).ToHashSet(StringComparer.Ordinal);
        foreach (var file in new[] { Path.Combine("prometheus", "alerts.yml"), Path.Combine("grafana", "lekhika-daemon.json") })
        {
            var text = await File.ReadAllTextAsync(Path.Combine(Root(), "packaging", file), Cancellation);
            var named = System.Text.RegularExpressions.Regex.Matches(text, "(?:lekhika|process)_[a-z_]+", System.Text.RegularExpressions.RegexOptions.NonBacktracking)
                .Select(static match => match.Value).Distinct(StringComparer.Ordinal).ToList();
            Assert.NotEmpty(named);
            Assert.DoesNotContain(named, name => !there.Contains(name) && !there.Contains(name.Replace("_bucket", "", StringComparison.Ordinal)
                .Replace("_count", "", StringComparison.Ordinal).Replace("_sum", "", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public void However_many_label_values_come_the_series_stay_few()
    {
        using var meter = new Meter("Lekhika.Test.Cardinality");
        using var store = new MetricStore(meter);
        var counter = meter.CreateCounter<long>("test.things", null, "Things.");
        for (var i = 0; i < 5000; i++) counter.Add(1, new KeyValuePair<string, object?>("name", $"hostile \"{i}\"\n"));
        counter.Add(1, new KeyValuePair<string, object?>("name", new string('x', 10_000)));
        var lines = store.Write().Split('\n').Where(static line => line.StartsWith("test_things_total{", StringComparison.Ordinal)).ToList();
        Assert.InRange(lines.Count, 2, MetricFamily.MaxSeries + 1);
        Assert.Equal(5001, lines.Sum(static line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture)));
        Assert.Contains(lines, static line => line.StartsWith("test_things_total{name=\"other\"}", StringComparison.Ordinal));
        Assert.All(lines, static line => Assert.True(line.Length < 200, line));
    }

    private static async Task FillAsync(TestServer server)
    {
        (server.State.OldestAge, server.State.HeldByAll) = (TimeSpan.FromSeconds(90), 2);
        Instruments.Ended("completed", TimeSpan.FromSeconds(2));
        var now = TimeProvider.System.GetUtcNow();
        var record = new StepRecord { Run = 1, Key = "a", Attempt = 1, Outcome = StepOutcome.Retrying, StartedAt = now.AddSeconds(-1), FinishedAt = now };
        Instruments.Recorded("llm", record);
        Instruments.Answered(new ModelReply { Text = "", Model = "qwen \"2\"", DoneReason = "stop", Endpoint = "ollama", TokensIn = 3, TokensOut = 5 });
        await server.GetAsync($"/executions/{Guid.NewGuid()}");
        await server.GetAsync("/no/such/route");
    }

    private static async Task<string> TextAsync(TestServer server)
    {
        using var response = await server.Client.GetAsync(new Uri("/metrics", UriKind.Relative), Cancellation);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        return await response.Content.ReadAsStringAsync(Cancellation);
    }

    private static async Task<(int Code, string Said)> PromtoolAsync(string input, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("promtool", arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        await process.StandardInput.WriteAsync(input.AsMemory(), Cancellation);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(Cancellation);
        var error = process.StandardError.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);
        return (process.ExitCode, await output + await error);
    }

    private static string[] Paths(string program) =>
        [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, program))];

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Lekhika.Daemon.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("The repository is not above the tests.");
    }
}

using System.Text;
using System.Text.Json;
using Lekhika.Benchmarks.Harness;
using Lekhika.Doubles;
using Lekhika.Inference;

namespace Lekhika.Benchmarks.Cases;

/// <summary>
/// 40 jobs of two phases on two models, at a server where a swap costs 5 s; and what our reading adds to a stream.
/// </summary>
internal sealed class LanesCase : ICase
{
    private const int Jobs = 40;

    private static readonly TimeSpan Service = TimeSpan.FromMilliseconds(500);

    public string Name => "lanes";

    public async Task RunAsync(Bench bench)
    {
        // The whole takes minutes of waiting, which two looks at it do not make truer; the first-come order is eighty swaps.
        var swap = bench.Options.Quick ? TimeSpan.FromSeconds(0.5) : TimeSpan.FromSeconds(5);
        var service = bench.Options.Quick ? Service / 10 : Service;
        var runs = await bench.AlternateAsync(
            Name,
            ("ours", () => OursAsync(bench, swap, service)),
            ("best order", () => InOrderAsync(swap, service, [.. Enumerable.Repeat("analyse", Jobs), .. Enumerable.Repeat("write", Jobs)])));
        var firstCome = await InOrderAsync(swap, service, [.. Enumerable.Range(0, 2 * Jobs).Select(static i => i % 2 == 0 ? "analyse" : "write")]);
        Add("40 jobs of two phases, two models", runs["ours"], "≤ 1.15 ×", static (_, _, ratio) => ratio <= 1.15);
        Add("first come, first served", [firstCome], "> 5 × (what it is against)", static (_, _, ratio) => ratio > 5);

        var (ours, plain, oursRate, plainRate) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
        await bench.AlternateAsync(Name, ("added per chunk p99, ms", async () =>
        {
            var tokens = bench.Options.Scale(10_000, 2000);
            await using var model = await StampingModel.StartAsync(tokens, 2000);
            var (plainAges, plainSeconds) = await ReadPlainlyAsync(model.Address);
            var (ages, seconds) = await ReadWithPoolAsync(model.Address);
            ours.Add(ages.Percentile(0.99));
            plain.Add(plainAges.Percentile(0.99));
            oursRate.Add(tokens / seconds);
            plainRate.Add(tokens / plainSeconds);
            return ours[^1] - plain[^1];
        }
        ));
        bench.Add(new Row
        {
            Case = Name,
            Ours = "age of a piece when it arrives, p99",
            OursRuns = ours,
            Peer = "a plain reader of lines",
            PeerRuns = plain,
            Unit = "ms",
            LessIsBetter = true,
            PlainRatio = true,
            Aim = "< 1 ms more",
            IsMet = static (value, peer, _) => value - peer < 1,
        });
        bench.Add(new Row
        {
            Case = Name,
            Ours = "throughput at 2 000 tokens/s",
            OursRuns = oursRate,
            Peer = "a plain reader of lines",
            PeerRuns = plainRate,
            Unit = "tokens/s",
            Aim = "≥ 0.97 ×",
            IsMet = static (_, _, ratio) => ratio >= 0.97,
        });

        void Add(string form, IReadOnlyList<double> times, string aim, Func<double, double, double, bool> met) => bench.Add(new Row
        {
            Case = Name,
            Ours = form,
            OursRuns = times,
            Peer = "the best order",
            PeerRuns = runs["best order"],
            Unit = "s",
            LessIsBetter = true,
            PlainRatio = true,
            Aim = aim,
            IsMet = met,
        });
    }

    private static Task<OllamaDouble> DoubleAsync(TimeSpan swap, TimeSpan service) => OllamaDouble.StartAsync(new OllamaDoubleOptions
    {
        Models = [new DoubleModel { Name = "analyse" }, new DoubleModel { Name = "write" }],
        MaxLoadedModels = 1,
        Parallel = 1,
        LoadTime = swap,
        SwapTime = TimeSpan.Zero,
        ReplyTokens = 20,
        TokensPerSecond = 20 / service.TotalSeconds,
    });

    private static async Task<double> OursAsync(Bench bench, TimeSpan swap, TimeSpan service)
    {
        await using var ollama = await DoubleAsync(swap, service);
        await using var database = await bench.DatabaseAsync();
        var workflow = await database.WorkflowAsync("""
            {"nodes":[{"id":"a","type":"llm","config":{"model":"analyse","prompt":"plan"}},
                      {"id":"b","type":"llm","config":{"model":"write","prompt":"{{ nodes[\"a\"].text }}"}}],
             "edges":[{"from":"a","to":"b"}]}
            """);
        await using var daemon = await BenchDaemon.StartAsync(database, ("ollama.url", ollama.BaseAddress.ToString().TrimEnd('/')));
        var began = Shell.Time.GetTimestamp();
        await database.InsertAsync(workflow, Jobs);
        await Shell.UntilAsync(async () => await daemon.CompletedAsync() == Jobs, 900, 20, "the end of the jobs");
        return Shell.Time.GetElapsedTime(began).TotalSeconds;
    }

    /// <summary>Seconds for the requests one after the other, in the order given.</summary>
    private static async Task<double> InOrderAsync(TimeSpan swap, TimeSpan service, List<string> models)
    {
        await using var ollama = await DoubleAsync(swap, service);
        using var http = new HttpClient { BaseAddress = ollama.BaseAddress, Timeout = TimeSpan.FromMinutes(5) };
        var began = Shell.Time.GetTimestamp();
        foreach (var model in models)
        {
            using var content = new StringContent($$"""{"model":"{{model}}","messages":[{"role":"user","content":"plan"}]}""", Encoding.UTF8, "application/json");
            using var response = await http.PostAsync(new Uri("api/chat", UriKind.Relative), content);
            response.EnsureSuccessStatusCode();
        }

        return Shell.Time.GetElapsedTime(began).TotalSeconds;
    }

    private static async Task<(List<double> Ages, double Seconds)> ReadPlainlyAsync(string address)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(address + "/api/chat")) { Content = new StringContent("""{"model":"m","messages":[]}""") };
        var ages = new List<double>();
        var began = Shell.Time.GetTimestamp();
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        while (await reader.ReadLineAsync() is { } line)
        {
            using var parsed = JsonDocument.Parse(line);
            ages.AddRange(StampingModel.Ages(parsed.RootElement.GetProperty("message").GetProperty("content").GetString()!));
        }

        return (ages, Shell.Time.GetElapsedTime(began).TotalSeconds);
    }

    private static async Task<(List<double> Ages, double Seconds)> ReadWithPoolAsync(string address)
    {
        await using var pool = new ModelPool(
            new ModelPoolOptions { Endpoints = [new ModelEndpointOptions { Name = "stamping", BaseUrl = new Uri(address) }] }, TimeProvider.System, Random.Shared);
        var sink = new AgeSink();
        var began = Shell.Time.GetTimestamp();
        await pool.RunAsync(new ModelRequest { Model = "m", Messages = [new("user", "go")] }, sink, CancellationToken.None);
        return (sink.Ages, Shell.Time.GetElapsedTime(began).TotalSeconds);
    }

    private sealed class AgeSink : IModelSink
    {
        public List<double> Ages { get; } = [];

        public void Queued(int position)
        {
        }

        public void Started(string endpoint, int attempt)
        {
        }

        public void Text(string piece) => Ages.AddRange(StampingModel.Ages(piece));

        public void Thinking(string piece)
        {
        }

        public void Restarted(string reason)
        {
        }
    }
}

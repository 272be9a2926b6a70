using System.Text.Json;
using Lekhika.Daemon.Tests.Configuration;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>Definitions as the earlier platforms publish them, with endpoints of the operator's for the node types that the daemon does not run.</summary>
public sealed class SampleFlowTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(2000, "rag_switch")]
    [InlineData(20, "connector")]
    public async Task A_conditional_of_SynthralOS_takes_the_branch_that_its_condition_names(int length, string taken)
    {
        await using var endpoints = await Endpoints.StartAsync(length);
        var result = await TryAsync("synthralos-conditional.json", "url=http://x.example", "scraping", "rag_switch", "connector", endpoints);
        Assert.Equal(taken, result.GetProperty("type").GetString());
        Assert.Equal(["scraping", taken], endpoints.Called);
    }

    [Theory]
    [InlineData(500, "Request approved: Approved")]
    [InlineData(5000, "Request rejected: Amount too high")]
    public async Task An_if_else_of_CtrlChecks_takes_the_branch_that_its_condition_names(int amount, string text)
    {
        await using var endpoints = await Endpoints.StartAsync(length: 0);
        var result = await TryAsync("ctrlchecks-if-else.json", $"amount={amount}", "javascript", null, null, endpoints);
        Assert.Equal(text, result.GetProperty("text").GetString());
    }

    [Theory]
    [InlineData("synthralos-conditional.json", "scraping", "rag_switch", "connector")]
    [InlineData("ctrlchecks-if-else.json", "javascript")]
    [InlineData("synthralos-native.json", "node-2")]
    public async Task Without_them_each_is_refused_naming_what_is_missing(string sample, params string[] named)
    {
        var run = await ChildProcess.RunAsync(null, Cancellation, ["validate", Sample(sample), "--config", "/dev/null"]);
        Assert.Equal(1, run.ExitCode);
        foreach (var name in named) Assert.Contains($"'{name}'", run.Error, StringComparison.Ordinal);
    }

    private static async Task<JsonElement> TryAsync(string sample, string input, string first, string? second, string? third, Endpoints endpoints)
    {
        var settings = new[] { first, second, third }.OfType<string>().SelectMany(type => (string[])[$"--nodes.{type}", $"{endpoints.Url}/{type}"]);
        var run = await ChildProcess.RunAsync(null, Cancellation, ["try", Sample(sample), "--config", "/dev/null", "--input", input, .. settings]);
        Assert.True(run.ExitCode == 0, run.Tail());
        using var document = JsonDocument.Parse(run.Output);
        return document.RootElement.Clone();
    }

    private static string Sample(string name)
    {
        var file = Path.GetFullPath(Path.Combine(RepositoryFiles.Root, "..", "shared", "data", "samples", name));
        Assert.SkipUnless(File.Exists(file), $"{file} is not here");
        return file;
    }

    /// <summary>What an operator would have: a scraper, a function in JavaScript, and two services that say what they were.</summary>
    private sealed class Endpoints(WebApplication app) : IAsyncDisposable
    {
        private readonly List<string> _called = [];

        public string Url => app.Urls.First();

        public IReadOnlyList<string> Called => _called;

        public static async Task<Endpoints> StartAsync(int length)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            var app = builder.Build();
            app.Urls.Add("http://127.0.0.1:0");
            var endpoints = new Endpoints(app);
            app.MapPost("/{type}", (RequestDelegate)(context => endpoints.AnswerAsync(context, length)));
            await app.StartAsync(Cancellation);
            return endpoints;
        }

        public ValueTask DisposeAsync() => app.DisposeAsync();

        private async Task AnswerAsync(HttpContext context, int length)
        {
            var type = (string)context.Request.RouteValues["type"]!;
            _called.Add(type);
            using var body = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
            var answer = type switch
            {
                "scraping" => $$"""{"content":"{{new string('x', length)}}"}""",
                "javascript" => body.RootElement.GetProperty("input").GetProperty("amount").GetInt32() <= 1000
                    ? """{"approved":true,"reason":"Approved"}"""
                    : """{"approved":false,"reason":"Amount too high"}""",
                _ => $$"""{"type":"{{type}}"}""",
            };
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(answer, context.RequestAborted);
        }
    }
}

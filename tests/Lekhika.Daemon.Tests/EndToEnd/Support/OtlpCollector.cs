using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd.Support;

/// <summary>Takes what an exporter sends by OTLP over HTTP, and keeps the bytes.</summary>
internal sealed class OtlpCollector : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<(string Path, byte[] Body)> _taken = new();
    private readonly SemaphoreSlim _more = new(0);

    private OtlpCollector(WebApplication app) => _app = app;

    public string Url { get; private init; } = "";

    public static async Task<OtlpCollector> StartAsync()
    {
        var url = $"http://127.0.0.1:{Ports.Take()}";
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var collector = new OtlpCollector(builder.Build()) { Url = url };
        collector._app.Urls.Add(url);
        collector._app.Run(collector.TakeAsync);
        await collector._app.StartAsync(TestContext.Current.CancellationToken);
        return collector;
    }

    /// <summary>Waits until everything sent to a path holds all of these byte sequences.</summary>
    public async Task UntilAsync(string path, params byte[][] wanted)
    {
        while (true)
        {
            var bytes = _taken.Where(taken => taken.Path == path).SelectMany(static taken => taken.Body).ToArray();
            if (wanted.All(one => bytes.AsSpan().IndexOf(one) >= 0)) return;
            Assert.True(
                await _more.WaitAsync(Patience, TestContext.Current.CancellationToken),
                $"not sent to {path}: {string.Join(", ", wanted.Where(one => bytes.AsSpan().IndexOf(one) < 0).Select(System.Text.Encoding.UTF8.GetString))}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _more.Dispose();
    }

    private async Task TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        _taken.Enqueue((context.Request.Path, body.ToArray()));
        context.Response.ContentType = "application/x-protobuf";
        _more.Release();
    }
}

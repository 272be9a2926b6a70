using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Lekhika.Benchmarks.Cases;

/// <summary>A server that speaks as much of Ollama's protocol as is needed, and writes into each piece of text when it was sent: "@timestamp;".</summary>
internal sealed class StampingModel : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly int _tokens;
    private readonly double _perSecond;

    private StampingModel(int tokens, double perSecond)
    {
        (_tokens, _perSecond) = (tokens, perSecond);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.Run(AnswerAsync);
    }

    public string Address { get; private set; } = "";

    public static async Task<StampingModel> StartAsync(int tokens, double perSecond)
    {
        var model = new StampingModel(tokens, perSecond);
        await model._app.StartAsync();
        model.Address = model._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return model;
    }

    /// <summary>Milliseconds since each of the pieces in a text was sent.</summary>
    public static IEnumerable<double> Ages(string text)
    {
        var now = TimeProvider.System.GetTimestamp();
        for (var at = text.IndexOf('@', StringComparison.Ordinal); at >= 0; at = text.IndexOf('@', at + 1))
        {
            var end = text.IndexOf(';', at);
            if (end > 0 && long.TryParse(text.AsSpan(at + 1, end - at - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var sent))
                yield return TimeProvider.System.GetElapsedTime(sent, now).TotalMilliseconds;
        }
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value;
        if (path != "/api/chat")
        {
            await context.Response.WriteAsync(path switch
            {
                "/api/version" => """{"version":"0.32.15"}""",
                _ => """{"models":[{"name":"m:latest","model":"m:latest","size":1,"digest":"x"}]}""",
            });
            return;
        }

        context.Response.ContentType = "application/x-ndjson";
        var (began, sent) = (TimeProvider.System.GetTimestamp(), 0);
        while (sent < _tokens)
        {
            var due = Math.Min(_tokens, (int)(TimeProvider.System.GetElapsedTime(began).TotalSeconds * _perSecond) + 1);
            for (; sent < due; sent++)
            {
                var line = string.Create(
                    CultureInfo.InvariantCulture,
                    $$"""{"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"@{{TimeProvider.System.GetTimestamp()}};"},"done":false}""");
                await context.Response.BodyWriter.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), context.RequestAborted);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, context.RequestAborted);
        }

        await context.Response.WriteAsync(
            """{"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","eval_count":1}""" + "\n");
    }
}

using System.Collections.Concurrent;
using System.Text.Json;

namespace Lekhika.Chaos.World;

/// <summary>
/// The world outside: a service that counts what was done to it, by idempotency key. Now and then it fails after it has done its work (the answer is
/// lost), which is the one way to a repeated effect that no engine can avoid; what is repeated otherwise is counted apart.
/// </summary>
internal sealed class Ledger : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly WebApplication _app;
    private readonly Random? _random;

    private Ledger(WebApplication app, int? seed) => (_app, _random) = (app, seed is { } given ? new Random(given) : null);

    /// <summary>What was done, by key.</summary>
    public IReadOnlyDictionary<string, Entry> Entries => _entries;

    /// <summary>Requests without an idempotency key; there must be none.</summary>
    public int Unkeyed { get; private set; }

    public string Url { get; private set; } = "";

    /// <param name="seed">Decides which answers are lost; null for none.</param>
    public static async Task<Ledger> StartAsync(int? seed)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var ledger = new Ledger(app, seed);
        app.MapPost("/effect", (RequestDelegate)ledger.TakeAsync);
        app.MapPost("/slow", (RequestDelegate)ledger.TakeSlowlyAsync);
        app.MapPost("/flaky", (RequestDelegate)ledger.FlakyAsync);
        app.MapPost("/broken", (RequestDelegate)ledger.BreakAsync);
        await app.StartAsync();
        ledger.Url = app.Urls.First();
        return ledger;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        var begun = TimeProvider.System.GetUtcNow();
        await TakeAsync(context, begun);
    }

    private async Task TakeAsync(HttpContext context, DateTimeOffset begun)
    {
        using var body = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
        var entry = Of(context);
        entry.Count(begun);
        var luck = Next();
        if (luck < 0.01)
        {
            entry.AnswerLost();
            context.Abort();
            return;
        }

        if (luck < 0.03)
        {
            entry.AnswerLost();
            context.Response.StatusCode = 503;
            return;
        }

        var n = body.RootElement.TryGetProperty("n", out var value) && value.TryGetInt64(out var number) ? number : 0;
        await WriteAsync(context, $$"""{"n":{{n + 1}}}""");
    }

    private async Task TakeSlowlyAsync(HttpContext context)
    {
        var begun = TimeProvider.System.GetUtcNow();
        await Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System, context.RequestAborted);
        await TakeAsync(context, begun);
    }

    /// <summary>Says 503 to the first two attempts of each key.</summary>
    private async Task FlakyAsync(HttpContext context)
    {
        var entry = Of(context);
        if (entry.Count(TimeProvider.System.GetUtcNow()) <= 2)
        {
            entry.AnswerLost();
            context.Response.StatusCode = 503;
            return;
        }

        await WriteAsync(context, """{"ok":true}""");
    }

    /// <summary>Says 503 to everything.</summary>
    private Task BreakAsync(HttpContext context)
    {
        var entry = Of(context);
        entry.Count(TimeProvider.System.GetUtcNow());
        entry.AnswerLost();
        context.Response.StatusCode = 503;
        return Task.CompletedTask;
    }

    private Entry Of(HttpContext context)
    {
        var key = context.Request.Headers["Idempotency-Key"].ToString();
        if (key.Length == 0) Unkeyed++;
        return _entries.GetOrAdd(key, static _ => new Entry());
    }

    private double Next()
    {
        if (_random is null) return 1;
        lock (_random) return _random.NextDouble();
    }

    private static Task WriteAsync(HttpContext context, string json)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(json, context.RequestAborted);
    }

    /// <summary>What was done under one key.</summary>
    internal sealed class Entry
    {
        private readonly Lock _lock = new();
        private readonly List<DateTimeOffset> _begun = [];
        private int _lost;

        public int Times
        {
            get
            {
                lock (_lock) return _begun.Count;
            }
        }

        /// <summary>When each of the requests came, in the order in which they were counted.</summary>
        public IReadOnlyList<DateTimeOffset> Begun
        {
            get
            {
                lock (_lock) return [.. _begun];
            }
        }

        /// <summary>How often the answer was withheld.</summary>
        public int AnswersLost => _lost;

        /// <summary>Counts one more that came at this time; the answer is how many there are now.</summary>
        public int Count(DateTimeOffset begun)
        {
            lock (_lock)
            {
                _begun.Add(begun);
                return _begun.Count;
            }
        }

        public void AnswerLost() => Interlocked.Increment(ref _lost);
    }
}

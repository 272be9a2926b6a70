using System.Text.Json;

namespace Lekhika.Doubles;

/// <summary>/api/embed and /api/embeddings: unit vectors that follow from the text. Models without the capability answer as recorded.</summary>
internal sealed class EmbedEndpoints(OllamaDoubleOptions options, ModelStore store, ModelScheduler scheduler)
{
    private const string NoEmbeddings = "This server does not support embeddings. Start it with `--embeddings`";

    public async Task EmbedAsync(HttpContext http)
    {
        var fields = GoFields.Of(await GoBody.ReadAsync(http.Request, http.RequestAborted), "EmbedRequest");
        var input = fields.Get("input");
        string[] texts = input.ValueKind switch
        {
            JsonValueKind.String => [input.GetString()!],
            JsonValueKind.Array => [.. input.EnumerateArray().Select(text => text.ValueKind == JsonValueKind.String ? text.GetString()! : "")],
            JsonValueKind.Undefined or JsonValueKind.Null => [],
            _ => throw new ApiException(400, "invalid input type"),
        };
        var started = options.TimeProvider.GetTimestamp();
        var (model, scheduled) = await LoadedAsync(http, fields, 501);
        await HttpReply.JsonAsync(
            http,
            200,
            new WireEmbed(
                fields.Text("model"),
                [.. texts.Select(text => Vector(text, model.EmbeddingLength))],
                Nanoseconds(started, options.TimeProvider.GetTimestamp()),
                Nanoseconds(started, scheduled),
                texts.Sum(text => Pieces.Count(text.Length))),
            WireJson.Go.WireEmbed);
    }

    public async Task EmbeddingsAsync(HttpContext http)
    {
        var fields = GoFields.Of(await GoBody.ReadAsync(http.Request, http.RequestAborted), "EmbeddingRequest");
        var (model, _) = await LoadedAsync(http, fields, 500);
        await HttpReply.JsonAsync(http, 200, new WireEmbedding(Vector(fields.Text("prompt"), model.EmbeddingLength)), WireJson.Go.WireEmbedding);
    }

    private async Task<(DoubleModel Model, long Scheduled)> LoadedAsync(HttpContext http, GoFields fields, int refusal)
    {
        var name = fields.Text("model");
        var model = (name.Length > 0 ? store.Find(name) : null) ?? throw new ApiException(404, $"model \"{name}\" not found, try pulling it first");
        var context = Math.Clamp(options.ContextLength, 4, model.ContextLength);
        using var lease = await scheduler.AcquireAsync(model, context, GoDuration.Read(fields.Get("keep_alive")), http.RequestAborted);
        return model.Can("embedding") ? (model, options.TimeProvider.GetTimestamp()) : throw new ApiException(refusal, NoEmbeddings);
    }

    private static float[] Vector(string text, int length)
    {
        var random = new StableRandom(StableRandom.Seed(text));
        var vector = new float[length];
        for (var i = 0; i < length; i++)
            vector[i] = (float)(random.Fraction() - 0.5);
        var norm = MathF.Sqrt(vector.Sum(value => value * value));
        return [.. vector.Select(value => value / norm)];
    }

    private long Nanoseconds(long from, long to) => (long)options.TimeProvider.GetElapsedTime(from, to).TotalNanoseconds;
}

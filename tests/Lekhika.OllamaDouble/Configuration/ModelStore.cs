using System.Collections.Concurrent;

namespace Lekhika.Doubles;

/// <summary>The names on the disk. Names match without regard to case; the answer echoes what was asked.</summary>
internal sealed class ModelStore
{
    private readonly ConcurrentDictionary<string, DoubleModel> _models = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, long> _blobs = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _gguf = new(StringComparer.Ordinal);
    private readonly TimeProvider _time;

    public ModelStore(OllamaDoubleOptions options)
    {
        _time = options.TimeProvider;
        foreach (var model in options.Models)
            Put(model);
    }

    public IEnumerable<DoubleModel> All =>
        _models.Values.OrderByDescending(model => model.ModifiedAt).ThenBy(model => model.FullName, StringComparer.Ordinal);

    public DoubleModel? Find(string name) =>
        _models.TryGetValue(ModelName.WithTag(name), out var model) ? model : ModelName.Describe(name);

    public void Put(DoubleModel model) =>
        _models[model.FullName] = model.ModifiedAt is null ? model with { ModifiedAt = _time.GetUtcNow() } : model;

    public bool Remove(string name) => _models.TryRemove(ModelName.WithTag(name), out _);

    public void AddBlob(string digest, ReadOnlySpan<byte> content)
    {
        _blobs[digest] = content.Length;
        _gguf[digest] = content.StartsWith("GGUF"u8);
    }

    public bool HasBlob(string digest) => _blobs.ContainsKey(digest);

    public bool IsModel(string digest) => _gguf.TryGetValue(digest, out var gguf) && gguf;

    public long BlobSize(string digest) => _blobs.GetValueOrDefault(digest);
}

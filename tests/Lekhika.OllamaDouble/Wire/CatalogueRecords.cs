using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Lekhika.Doubles;

// What /api/tags, /api/ps, /api/show and the small calls answer.

internal sealed record WireVersion(string Version);

internal sealed record WireTags(IReadOnlyList<WireTag> Models);

internal sealed record WireTag(
    string Name, string Model, string ModifiedAt, long Size, string Digest, WireDetails Details, IReadOnlyList<string> Capabilities);

internal sealed record WireRunning(IReadOnlyList<WireRunningModel> Models);

internal sealed record WireRunningModel(
    string Name, string Model, long Size, string Digest, WireDetails Details, string ExpiresAt, long SizeVram, int ContextLength);

internal sealed record WireDetails(
    string ParentModel,
    string Format,
    string Family,
    IReadOnlyList<string> Families,
    string ParameterSize,
    string QuantizationLevel,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int ContextLength = 0,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int EmbeddingLength = 0);

internal sealed record WireShow(
    string Modelfile,
    string? Parameters,
    string Template,
    string? System,
    WireDetails Details,
    JsonObject ModelInfo,
    IReadOnlyList<WireTensor> Tensors,
    IReadOnlyList<string> Capabilities,
    string ModifiedAt);

internal sealed record WireTensor(string Name, string Type, IReadOnlyList<int> Shape);

internal sealed record WireEmbed(
    string Model, IReadOnlyList<IReadOnlyList<float>> Embeddings, long TotalDuration, long LoadDuration, int PromptEvalCount);

internal sealed record WireEmbedding(IReadOnlyList<float> Embedding);

using System.Text.Json;
using Xunit;

namespace Lekhika.Inference.Tests.Double;

/// <summary>One recorded exchange with a real server.</summary>
public sealed record RecordedExchange(
    string Case,
    string Outcome,
    string Method,
    string Path,
    IReadOnlyList<KeyValuePair<string, string>> RequestHeaders,
    string RequestBody,
    int? Status,
    IReadOnlyDictionary<string, string> Headers,
    string Body)
{
    /// <summary>The file it stands in, which is the first part of its name.</summary>
    public string Folder => Case[..Case.IndexOf('/', StringComparison.Ordinal)];

    /// <summary>Its name inside the file.</summary>
    public string Name => Case[(Case.IndexOf('/', StringComparison.Ordinal) + 1)..];
}

/// <summary>The recordings beside the repository. They are data for tests only and may be missing.</summary>
public static class Recordings
{
    private static readonly Lazy<string?> Data = new(FindData);
    private static readonly Lazy<IReadOnlyDictionary<string, RecordedExchange>> All = new(ReadAll);

    /// <summary>Every exchange, none where the recordings are missing.</summary>
    public static IEnumerable<RecordedExchange> Exchanges => All.Value.Values;

    public static RecordedExchange Get(string name) => All.Value[name];

    public static void SkipIfMissing() =>
        Assert.SkipWhen(All.Value.Count == 0, "../shared/data/ollama-transcripts is not there; the double cannot be held to the recordings");

    /// <summary>The model file the recordings were made with.</summary>
    public static string ModelFile => Path.Combine(Data.Value ?? "", "stories260K.gguf");

    public static string RepositoryRoot
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Lekhika.Daemon.sln")))
                folder = folder.Parent;
            return folder?.FullName ?? throw new DirectoryNotFoundException("no folder above the tests holds Lekhika.Daemon.sln");
        }
    }

    private static string? FindData()
    {
        var data = Path.GetFullPath(Path.Combine(RepositoryRoot, "..", "shared", "data"));
        return Directory.Exists(Path.Combine(data, "ollama-transcripts")) ? data : null;
    }

    private static Dictionary<string, RecordedExchange> ReadAll()
    {
        var all = new Dictionary<string, RecordedExchange>(StringComparer.Ordinal);
        if (Data.Value is null)
            return all;
        foreach (var file in Directory.GetFiles(Path.Combine(Data.Value, "ollama-transcripts"), "*.ndjson").Order(StringComparer.Ordinal))
        {
            foreach (var line in File.ReadLines(file))
            {
                var exchange = Read(line);
                all[exchange.Case] = exchange;
            }
        }
        return all;
    }

    private static RecordedExchange Read(string line)
    {
        using var document = JsonDocument.Parse(line);
        var root = document.RootElement;
        var request = root.GetProperty("request");
        var response = root.TryGetProperty("response", out var found) ? found : default;
        var answered = response.ValueKind == JsonValueKind.Object && response.TryGetProperty("status", out var status) && status.ValueKind == JsonValueKind.Number;
        return new RecordedExchange(
            root.GetProperty("case").GetString()!,
            root.GetProperty("outcome").GetString()!,
            request.GetProperty("method").GetString()!,
            request.GetProperty("path").GetString()!,
            [.. request.GetProperty("headers").EnumerateObject().Select(header => KeyValuePair.Create(header.Name, header.Value.GetString()!))],
            request.TryGetProperty("body", out var body) && body.ValueKind == JsonValueKind.String ? body.GetString()! : "",
            answered ? response.GetProperty("status").GetInt32() : null,
            answered
                ? response.GetProperty("headers").EnumerateObject().ToDictionary(header => header.Name, header => header.Value.GetString()!, StringComparer.OrdinalIgnoreCase)
                : new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase),
            answered && response.TryGetProperty("chunks", out var chunks)
                ? string.Concat(chunks.EnumerateArray().Select(chunk => chunk.TryGetProperty("text", out var text) ? text.GetString() : ""))
                : "");
    }
}

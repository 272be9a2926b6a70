using System.Security.Cryptography;
using System.Text.Json;

namespace Lekhika.Doubles;

/// <summary>Changes to the store: pull, create, copy, delete and blobs. Errors of a streamed pull or create are a line under a 200.</summary>
internal sealed class StoreEndpoints(ModelStore store, StatsRecorder stats)
{
    private const string Parent = "/api/blobs/";

    public async Task PullAsync(HttpContext http)
    {
        var fields = GoFields.Of(await GoBody.ReadAsync(http.Request, http.RequestAborted), "PullRequest");
        var name = fields.Text("model") is { Length: > 0 } model ? model : fields.Text("name");
        if (name.Length == 0 || !ModelName.IsWellFormed(name))
            throw new ApiException(400, "invalid model name");
        var stream = fields.Flag("stream") ?? true;
        var error = PullError(name, fields.Flag("insecure") ?? false);
        if (error is null)
            store.Put(store.Find(name) ?? new DoubleModel { Name = name });
        var digest = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(name)));
        await AnswerAsync(http, stream, error,
        [
            new WireStatus("pulling manifest"),
            new WireStatus("pulling " + digest[7..19], digest, 1_048_576, 524_288),
            new WireStatus("pulling " + digest[7..19], digest, 1_048_576, 1_048_576),
            new WireStatus("verifying sha256 digest"),
            new WireStatus("writing manifest"),
            new WireStatus("success"),
        ]);
    }

    public async Task CreateAsync(HttpContext http)
    {
        var fields = GoFields.Of(await GoBody.ReadAsync(http.Request, http.RequestAborted), "CreateRequest");
        var name = fields.Text("model");
        if (name.Length == 0 || !ModelName.IsWellFormed(name))
            throw new ApiException(400, "invalid model name");
        var stream = fields.Flag("stream") ?? true;
        var from = fields.Text("from");
        if (from.Length > 0)
        {
            var parent = store.Find(from);
            if (parent is not null)
                store.Put(Derived(name, parent, fields));
            await AnswerAsync(http, stream, parent is null ? new ApiException(500, PullError(from, false)?.Message ?? "file does not exist") : null,
                [new WireStatus("using existing layer sha256:" + new string('0', 64)), new WireStatus("writing manifest"), new WireStatus("success")]);
            return;
        }
        var files = fields.Map("files", "map[string]string");
        var digest = files.ValueKind == JsonValueKind.Object ? files.EnumerateObject().Select(file => file.Value.GetString() ?? "").FirstOrDefault() : null;
        if (digest is null)
            throw new ApiException(400, "neither 'from' or 'files' was specified");
        var error = !store.HasBlob(digest) ? new ApiException(500, "open /var/lib/ollama/models: no such file or directory")
            : !store.IsModel(digest) ? new ApiException(400, "supplied file was not in GGUF format")
            : null;
        if (error is null)
            store.Put(new DoubleModel { Name = name, Blob = digest, Size = store.BlobSize(digest), ContextLength = 512, ParameterSize = "293K", Quantization = "unknown" });
        await AnswerAsync(http, stream, error,
        [
            new WireStatus("parsing GGUF"),
            new WireStatus("verifying conversion"),
            new WireStatus("creating new layer " + digest),
            new WireStatus("writing manifest"),
            new WireStatus("success"),
        ]);
    }

    public async Task CopyAsync(HttpContext http)
    {
        var fields = GoFields.Of(await GoBody.ReadAsync(http.Request, http.RequestAborted), "CopyRequest");
        var source = fields.Text("source");
        var model = store.Find(source) ?? throw new ApiException(404, $"model \"{source}\" not found");
        store.Put(model with { Name = ModelName.WithTag(fields.Text("destination")), Blob = model.BlobKey, ModifiedAt = null });
        await HttpReply.EmptyAsync(http, 200);
    }

    public async Task DeleteAsync(HttpContext http)
    {
        var fields = GoFields.Of(await GoBody.ReadAsync(http.Request, http.RequestAborted), "DeleteRequest");
        var name = fields.Text("model") is { Length: > 0 } model ? model : fields.Text("name");
        if (!store.Remove(name))
            throw ApiException.NotFound(name);
        await HttpReply.EmptyAsync(http, 200);
    }

    public async Task BlobAsync(HttpContext http)
    {
        var digest = http.Request.Path.Value![Parent.Length..];
        if (HttpMethods.IsHead(http.Request.Method))
        {
            if (!store.HasBlob(digest))
                throw new ApiException(404, $"blob \"{digest}\" not found");
            http.Response.StatusCode = 200;
            return;
        }
        using var content = new MemoryStream();
        await http.Request.Body.CopyToAsync(content, http.RequestAborted);
        var bytes = content.GetBuffer().AsMemory(0, (int)content.Length);
        var actual = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes.Span));
        if (!string.Equals(actual, digest, StringComparison.Ordinal))
            throw new ApiException(400, $"digest mismatch, expected \"{digest}\", got \"{actual}\"");
        store.AddBlob(digest, bytes.Span);
        await HttpReply.EmptyAsync(http, 201);
    }

    private static DoubleModel Derived(string name, DoubleModel parent, GoFields fields)
    {
        var template = fields.Text("template") is { Length: > 0 } own ? own : parent.Template;
        var capabilities = new List<string> { "completion" };
        if (template.Contains(".Tools", StringComparison.Ordinal))
            capabilities.Add("tools");
        if (template.Contains(".Suffix", StringComparison.Ordinal))
            capabilities.Add("insert");
        if (template.Contains(".Thinking", StringComparison.Ordinal))
            capabilities.Add("thinking");
        var parameters = fields.Map("parameters", "map[string]interface {}");
        return parent with
        {
            Name = ModelName.WithTag(name),
            Blob = parent.BlobKey,
            ParentModel = parent.FullName,
            Template = template,
            System = fields.Text("system") is { Length: > 0 } system ? system : parent.System,
            Capabilities = template == parent.Template ? parent.Capabilities : capabilities,
            ModifiedAt = null,
            NumPredict = new GoFields(parameters, "").Whole("num_predict") ?? parent.NumPredict,
            Parameters = parameters.ValueKind == JsonValueKind.Object
                ? string.Join('\n', parameters.EnumerateObject().Select(parameter => $"{parameter.Name,-30} {parameter.Value.GetRawText()}"))
                : parent.Parameters,
        };
    }

    private static ApiException? PullError(string name, bool insecure)
    {
        var host = name.Split('/')[0];
        if (name.Contains('/', StringComparison.Ordinal) && host.Contains(':', StringComparison.Ordinal))
        {
            var path = name[(host.Length + 1)..];
            return new ApiException(
                500,
                $"pull model manifest: Get \"{(insecure ? "http" : "https")}://{host}/v2/{path}/manifests/latest\": dial tcp {host}: connect: connection refused");
        }
        return name.StartsWith("nope", StringComparison.Ordinal) ? new ApiException(500, "pull model manifest: file does not exist") : null;
    }

    private Task AnswerAsync(HttpContext http, bool stream, ApiException? error, IReadOnlyList<WireStatus> steps)
    {
        if (error is not null)
            stats.Error();
        if (stream)
        {
            var lines = error is null ? steps : [steps[0]];
            return HttpReply.LinesAsync(http, lines.Select(step => WireJson.Line(step, WireJson.Go.WireStatus))
                .Concat(error is null ? [] : [WireJson.Line(new WireError(error.Message), WireJson.Go.WireError)]));
        }
        return error is null
            ? HttpReply.JsonAsync(http, 200, steps[^1], WireJson.Go.WireStatus, HttpReply.BareJson)
            : HttpReply.ErrorAsync(http, error.Status, error.Message, HttpReply.BareJson);
    }
}

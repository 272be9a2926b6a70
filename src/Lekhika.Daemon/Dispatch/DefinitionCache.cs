using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Lekhika.Daemon.Nodes;
using Lekhika.Postgres.Queue;
using Lekhika.Workflows;
using Lekhika.Workflows.Execution;
using Lekhika.Workflows.Validation;

namespace Lekhika.Daemon.Dispatch;

/// <summary>
/// Definitions read, validated and compiled once per content. Bounded: beyond <see cref="Kept"/> the cache begins anew, which costs compiling
/// again and nothing else. A database that is away is waited for: it is no reason to fail an execution.
/// </summary>
internal sealed class DefinitionCache(IWorkflowCompiler compiler, Func<Guid, CancellationToken, Task<JsonElement?>> fetch, TimeProvider? time = null)
{
    private const int Kept = 1000;
    private readonly ConcurrentDictionary<Guid, CachedDefinition> _byHash = new();

    /// <summary>Finds the built-in workflow that a definition stands for; null if it stands for none.</summary>
    public Func<JsonElement, CompiledWorkflow?>? BuiltIn { get; init; }

    /// <summary>Forgets everything: the configuration that definitions are compiled with has changed.</summary>
    public void Clear() => _byHash.Clear();

    /// <summary>The compiled definition of a claim, or why there is none.</summary>
    public async ValueTask<CachedDefinition> GetAsync(ClaimedExecution claim, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadAsync(claim, cancellationToken);
        }
        catch (JsonException exception)
        {
            // What jsonb holds is JSON, so this is about its depth.
            return new CachedDefinition(null, new StepError(
                ErrorCodes.InvalidWorkflow, $"The definition cannot be read: {exception.Message} Nest it less deeply; 512 levels are read."));
        }
    }

    private async ValueTask<CachedDefinition> ReadAsync(ClaimedExecution claim, CancellationToken cancellationToken)
    {
        if (claim.DefinitionHash is { } hash)
        {
            if (_byHash.TryGetValue(hash, out var cached)) return cached;
            return await PatientRead.RunAsync(token => fetch(hash, token), time ?? TimeProvider.System, cancellationToken) is { } document
                ? Add(hash, document)
                : new CachedDefinition(null, new StepError(ErrorCodes.WorkflowNotFound, $"The pinned definition {hash} is not in the table definitions."));
        }

        if (claim.Definition is { } text)
        {
            var inline = HashOf(text);
            if (_byHash.TryGetValue(inline, out var cached)) return cached;
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 512 });
            return Add(inline, document.RootElement.Clone());
        }

        return new CachedDefinition(null, Missing(claim));
    }

    /// <summary>Compiles a definition that is not in a database.</summary>
    public CachedDefinition Add(Guid hash, JsonElement document)
    {
        if (BuiltIn?.Invoke(document) is { } builtIn) return _byHash[hash] = new CachedDefinition(builtIn, null) { Document = document };
        var result = compiler.Compile(document);
        var entry = result.Workflow is { } workflow
            ? new CachedDefinition(workflow, null)
            : new CachedDefinition(null, Invalid(result));
        if (_byHash.Count >= Kept) _byHash.Clear();
        _byHash[hash] = entry with { Document = document };
        return _byHash[hash];
    }

    /// <summary>The error that an invalid definition fails its execution with: all problems at once.</summary>
    public static StepError Invalid(CompileResult result)
    {
        var errors = result.Errors.ToList();
        var first = errors[0];
        var more = errors.Count > 1 ? $" (and {errors.Count - 1} more)" : "";
        return new StepError(
            ErrorCodes.InvalidWorkflow,
            $"{(first.Path.Length > 0 ? first.Path + ": " : "")}{first.Message}{more}",
            Details: Problems(errors));
    }

    private static StepError Missing(ClaimedExecution claim) => claim switch
    {
        { WorkflowId: null } => new StepError(
            ErrorCodes.WorkflowNotFound, "The execution names no workflow: set workflow_id, or put a definition into the column definition."),
        { WorkflowActive: null } => new StepError(ErrorCodes.WorkflowNotFound, $"There is no workflow with id {claim.WorkflowId}."),
        _ => new StepError(ErrorCodes.InvalidWorkflow, $"Workflow {claim.WorkflowId} has no definition."),
    };

    private static JsonElement Problems(List<Problem> problems)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("problems");
            foreach (var problem in problems)
            {
                writer.WriteStartObject();
                writer.WriteString("code", problem.Code);
                writer.WriteString("path", problem.Path);
                writer.WriteString("message", problem.Message);
                if (problem.Suggestion is { } suggestion) writer.WriteString("suggestion", suggestion);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        using var document = JsonDocument.Parse(buffer.GetBuffer().AsMemory(0, (int)buffer.Length));
        return document.RootElement.Clone();
    }

    private static Guid HashOf(string text) => new(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16), bigEndian: true);
}

/// <summary>A definition as the cache keeps it.</summary>
/// <param name="Workflow">Ready to run; null if it cannot be.</param>
/// <param name="Error">Why not.</param>
internal sealed record CachedDefinition(CompiledWorkflow? Workflow, StepError? Error)
{
    /// <summary>The definition as its author wrote it.</summary>
    public JsonElement? Document { get; init; }
}

using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Lekhika.Daemon.Nodes;
using Lekhika.Postgres.Queue;
using Lekhika.Workflows;
using Lekhika.Workflows.Execution;
using Lekhika.Workflows.Validation;

namespace Lekhika.Daemon.Dispatch;

/// <summary>
/// Definitions read, validated and compiled once per content. A database that is away is waited for: it is no reason to fail an execution.
/// </summary>
internal sealed class DefinitionCache(IWorkflowCompiler compiler, Func<Guid, CancellationToken, Task<JsonElement?>> fetch, TimeProvider? time = null)
{
    private volatile ContentCache<CachedDefinition> _byHash = new();

    /// <summary>Finds the built-in workflow that a definition stands for; null if it stands for none.</summary>
    public Func<JsonElement, CompiledWorkflow?>? BuiltIn { get; init; }

    /// <summary>Forgets everything: the configuration that definitions are compiled with has changed.</summary>
    public void Clear() => _byHash = new ContentCache<CachedDefinition>();

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
            if (_byHash.Find(hash) is { } cached) return cached;
            return await PatientRead.RunAsync(token => fetch(hash, token), time ?? TimeProvider.System, cancellationToken) is { } document
                ? Add(hash, document)
                : new CachedDefinition(null, new StepError(ErrorCodes.WorkflowNotFound, $"The pinned definition {hash} is not in the table definitions."));
        }

        if (claim.Definition is { } text)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            var inline = ContentHash.Of(bytes);
            if (_byHash.Find(inline) is { } cached) return cached;
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 512 });
            return Add(inline, document.RootElement.Clone());
        }

        return new CachedDefinition(null, Missing(claim));
    }

    /// <summary>Compiles a definition that is not in a database.</summary>
    public CachedDefinition Add(Guid hash, JsonElement document)
    {
        // What is made while the cache is cleared belongs to what was before.
        var cache = _byHash;
        return cache.Add(hash, JsonMarshal.GetRawUtf8Value(document).Length, Compile(document) with { Document = document });
    }

    private CachedDefinition Compile(JsonElement document)
    {
        if (BuiltIn?.Invoke(document) is { } builtIn) return new CachedDefinition(builtIn, null);
        var result = compiler.Compile(document);
        return result.Workflow is { } workflow ? new CachedDefinition(workflow, null) : new CachedDefinition(null, Invalid(result));
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
}

/// <summary>A definition as the cache keeps it.</summary>
/// <param name="Workflow">Ready to run; null if it cannot be.</param>
/// <param name="Error">Why not.</param>
internal sealed record CachedDefinition(CompiledWorkflow? Workflow, StepError? Error)
{
    /// <summary>The definition as its author wrote it.</summary>
    public JsonElement? Document { get; init; }
}

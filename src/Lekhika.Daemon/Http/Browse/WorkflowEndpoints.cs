using System.Text.Json;
using Lekhika.Daemon.Http.Execute;
using Lekhika.Postgres.Definitions;
using Lekhika.Workflows;
using Lekhika.Workflows.Validation;
using Npgsql;

namespace Lekhika.Daemon.Http.Browse;

/// <summary>Stored workflows: list, read, store, change. What cannot run is refused with everything that is wrong with it.</summary>
internal sealed class WorkflowEndpoints(HttpServerContext services, ExecutionLookup lookup)
{
    private const int DefaultLimit = 50;
    private const int MaxLimit = 200;
    private const int MaxTextLength = 512;

    public async Task ListAsync(HttpContext context)
    {
        var query = new QueryReader(context.Request, "q", "cursor", "limit");
        var limit = (int)(query.Number("limit", 1, MaxLimit) ?? DefaultLimit);
        Guid? after = query.Text("cursor") switch
        {
            null => null,
            { } text when RouteId.TryParse(text, out var id) => id,
            _ => throw QueryReader.Wrong("cursor", "is not what the page before gave as next"),
        };
        var search = query.Text("q");
        var workflows = await lookup.BoundedAsync(token => services.Browse.WorkflowsAsync(after, search, limit + 1, token), context.RequestAborted);
        var hasMore = workflows.Count > limit;
        await JsonReply.WriteAsync(context, StatusCodes.Status200OK, writer =>
        {
            writer.WriteStartArray("workflows"u8);
            foreach (var workflow in workflows.Take(limit))
            {
                writer.WriteStartObject();
                WriteFields(writer, workflow);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteString("next"u8, hasMore ? workflows[limit - 1].Id.ToString("D") : null);
        });
    }

    public async Task OneAsync(HttpContext context)
    {
        var id = RouteId.Of(context);
        var workflow = await FindAsync(id, context.RequestAborted) ?? throw NotFound(id);
        await WriteAsync(context, StatusCodes.Status200OK, workflow, []);
    }

    public async Task AddAsync(HttpContext context)
    {
        StoredWorkflow workflow;
        string definition;
        List<FieldProblem> warnings;
        using (var body = await RequestBody.ReadAsync(context))
        {
            var (fields, problems, compiled) = Read(body.Root, isNew: true);
            warnings = compiled;
            if (problems.Count > 0) throw Refusal(problems);
            definition = fields.Definition!;
            workflow = new StoredWorkflow
            {
                Id = fields.Id ?? Guid.CreateVersion7(services.Time.GetUtcNow()),
                Name = fields.Name ?? "",
                IsActive = fields.IsActive ?? true,
                OwnerId = fields.OwnerId,
            };
        }

        var stored = await StoreAsync(token => services.Browse.AddWorkflowAsync(workflow, definition, token), context.RequestAborted)
            ?? throw new RequestException(
                StatusCodes.Status409Conflict, HttpErrorCodes.Conflict, $"There is a workflow {workflow.Id} already; PUT /workflows/{workflow.Id} changes it.");
        context.Response.Headers.Location = $"/workflows/{stored.Id:D}";
        await WriteAsync(context, StatusCodes.Status201Created, stored, warnings);
    }

    public async Task ChangeAsync(HttpContext context)
    {
        var id = RouteId.Of(context);
        WorkflowChange change;
        List<FieldProblem> warnings;
        using (var body = await RequestBody.ReadAsync(context))
        {
            var (fields, problems, compiled) = Read(body.Root, isNew: false);
            warnings = compiled;
            if (fields.Id is { } other && other != id)
                problems.Add(new FieldProblem("id", "is another one than the path names; a workflow's id does not change", "invalid"));
            if (problems.Count > 0) throw Refusal(problems);
            change = new WorkflowChange
            {
                Name = fields.Name,
                Definition = fields.Definition,
                IsActive = fields.IsActive,
                OwnerId = fields.OwnerId,
                FromVersion = fields.Version,
            };
        }

        var stored = await StoreAsync(token => services.Browse.ChangeWorkflowAsync(id, change, token), context.RequestAborted);
        if (stored is null)
        {
            var present = await FindAsync(id, context.RequestAborted) ?? throw NotFound(id);
            throw new RequestException(
                StatusCodes.Status409Conflict,
                HttpErrorCodes.Conflict,
                $"Workflow {id} has version {present.Version} by now, not {change.FromVersion}; read it again and repeat the change.");
        }

        await WriteAsync(context, StatusCodes.Status200OK, stored, warnings);
    }

    public static RequestException NotFound(Guid id) =>
        new(StatusCodes.Status404NotFound, ErrorCodes.WorkflowNotFound, $"There is no workflow {id}.");

    private Task<StoredWorkflow?> FindAsync(Guid id, CancellationToken cancellationToken) =>
        lookup.BoundedAsync(token => services.Browse.WorkflowAsync(id, token), cancellationToken);

    private (Fields Fields, List<FieldProblem> Problems, List<FieldProblem> Warnings) Read(JsonElement root, bool isNew)
    {
        List<FieldProblem> problems = [], warnings = [];
        var reader = new FieldReader(root, "", problems);
        var definition = reader.Object("definition");
        if (definition is { } document)
        {
            foreach (var problem in services.Compiler.Compile(document).Problems)
                (problem.Severity == Severity.Error ? problems : warnings).Add(WorkflowProblems.In("definition", problem));
        }
        else if (isNew && !FieldReader.IsThere(root, "definition"))
        {
            problems.Add(new FieldProblem("definition", "is missing; expected an object with nodes and edges", "missing"));
        }

        var name = reader.Text("name", MaxTextLength)
            ?? (isNew && definition is { } named && named.TryGetProperty("name"u8, out var inner) && inner.ValueKind == JsonValueKind.String
                ? inner.GetString() : null);
        if (isNew && string.IsNullOrWhiteSpace(name))
            problems.Add(new FieldProblem("name", "is missing; expected a name for people, here or in the definition", "missing"));
        bool? isActive = null;
        if (FieldReader.IsThere(root, "isActive"))
        {
            var value = root.GetProperty("isActive"u8);
            if (value.ValueKind is JsonValueKind.True or JsonValueKind.False) isActive = value.GetBoolean();
            else problems.Add(new FieldProblem("isActive", $"is {JsonKinds.Describe(value)}; expected true or false", "invalid"));
        }

        return (new Fields(reader.Id("id"), name, definition?.GetRawText(), isActive, reader.Text("ownerId", MaxTextLength), reader.Integer("version")), problems, warnings);
    }

    private static async Task<StoredWorkflow?> StoreAsync(Func<CancellationToken, Task<StoredWorkflow?>> store, CancellationToken cancellationToken)
    {
        try
        {
            return await store(cancellationToken);
        }
        catch (PostgresException exception) when (exception.SqlState.StartsWith("22", StringComparison.Ordinal))
        {
            throw new RequestException(
                StatusCodes.Status400BadRequest, ErrorCodes.BadData, $"The database cannot store this workflow: {exception.MessageText}");
        }
    }

    private static RequestException Refusal(List<FieldProblem> problems)
    {
        var first = problems[0];
        var isDefinition = problems.TrueForAll(static problem => problem.Path.StartsWith("definition", StringComparison.Ordinal));
        var separator = first.Code is "missing" or "invalid" ? " " : ": ";
        var more = problems.Count > 1 ? $" (and {problems.Count - 1} more, see problems)" : "";
        return new RequestException(
            StatusCodes.Status400BadRequest,
            isDefinition ? ErrorCodes.InvalidWorkflow : HttpErrorCodes.InvalidRequest,
            $"The workflow cannot be stored: {first.Path}{separator}{first.Message}{more}")
        {
            Required = [.. problems.Where(static problem => problem.Code == "missing").Select(static problem => problem.Path)],
            Problems = problems,
        };
    }

    private static Task WriteAsync(HttpContext context, int status, StoredWorkflow workflow, List<FieldProblem> warnings) =>
        JsonReply.WriteAsync(context, status, writer =>
        {
            writer.WriteBoolean("success"u8, true);
            WriteFields(writer, workflow);
            writer.WriteRaw("definition"u8, workflow.Definition);
            if (warnings.Count == 0) return;
            writer.WriteStartArray("warnings"u8);
            foreach (var warning in warnings)
            {
                writer.WriteStartObject();
                writer.WriteString("path"u8, warning.Path);
                writer.WriteString("message"u8, warning.Message);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        });

    private static void WriteFields(Utf8JsonWriter writer, StoredWorkflow workflow)
    {
        writer.WriteString("id"u8, workflow.Id);
        writer.WriteString("name"u8, workflow.Name);
        writer.WriteNumber("version"u8, workflow.Version);
        writer.WriteBoolean("isActive"u8, workflow.IsActive);
        writer.WriteString("ownerId"u8, workflow.OwnerId);
        writer.WriteTime("createdAt"u8, workflow.CreatedAt);
        writer.WriteTime("updatedAt"u8, workflow.UpdatedAt);
    }

    private sealed record Fields(Guid? Id, string? Name, string? Definition, bool? IsActive, string? OwnerId, int? Version);
}

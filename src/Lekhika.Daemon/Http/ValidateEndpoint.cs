using System.Text.Json;
using Lekhika.Daemon.Http.Execute;
using Lekhika.Daemon.Nodes;
using Lekhika.Workflows.Validation;

namespace Lekhika.Daemon.Http;

/// <summary>
/// <c>POST /workflows/validate</c>: all that is wrong with a definition, at once. The body is the definition, or holds it as <c>workflow</c>.
/// </summary>
internal sealed class ValidateEndpoint(HttpServerContext services)
{
    public async Task HandleAsync(HttpContext context)
    {
        CompileResult result;
        var parent = "";
        using (var body = await RequestBody.ReadAsync(context))
        {
            var document = body.Root;
            var isWrapped = !document.TryGetProperty("nodes"u8, out _);
            if (isWrapped && document.TryGetProperty("workflow"u8, out var inner) && inner.ValueKind == JsonValueKind.Object)
                (document, parent) = (inner, "workflow");
            result = services.Compiler.Compile(document);
        }

        await JsonReply.WriteAsync(context, StatusCodes.Status200OK, writer => Write(writer, result, parent));
    }

    private static void Write(Utf8JsonWriter writer, CompileResult result, string parent)
    {
        writer.WriteBoolean("success"u8, true);
        writer.WriteBoolean("valid"u8, !result.Errors.Any());
        writer.WriteString("dialect"u8, result.Dialect);
        writer.WriteStartArray("problems"u8);
        foreach (var problem in result.Problems)
        {
            writer.WriteStartObject();
            writer.WriteString("severity"u8, problem.Severity == Severity.Error ? "error"u8 : "warning"u8);
            writer.WriteString("code"u8, problem.Code);
            writer.WriteString("path"u8, WorkflowProblems.Join(parent, problem.Path));
            writer.WriteString("message"u8, problem.Message);
            if (problem.Suggestion is not null) writer.WriteString("suggestion"u8, problem.Suggestion);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}

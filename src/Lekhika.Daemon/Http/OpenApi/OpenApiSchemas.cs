using System.Text.Json;

namespace Lekhika.Daemon.Http.OpenApi;

/// <summary>
/// The schemas of bodies and replies, in a short hand: <c>name:type</c> separated by spaces, <c>!</c> in front of what must be there. Types are JSON's,
/// <c>uuid</c>, <c>time</c>, <c>any</c>, <c>@Name</c> for another schema and <c>[@Name]</c> for a list of it.
/// </summary>
internal static class OpenApiSchemas
{
    private const string Execution =
        "!executionId:uuid workflowId:uuid workflowName:string !status:string priority:integer userId:string progress:number currentNodeId:string createdAt:time "
        + "startedAt:time finishedAt:time durationMs:integer error:string code:string waitingFor:any tokensIn:integer tokensOut:integer words:integer run:integer "
        + "attempts:integer parentId:uuid workerId:string";

    private static readonly (string Name, string Properties)[] All =
    [
        ("Object", ""),
        ("Problem", "!path:string !message:string code:string suggestion:string"),
        ("Error", "!success:boolean !error:string !code:string executionId:uuid status:string required:strings problems:[@Problem]"),
        ("Definition", "name:string !nodes:[@Node] !edges:[@Edge]"),
        ("Edge", "!from:string !to:string when:string"),
        ("ExecuteRequest", "executionId:uuid workflow:@Definition workflowId:uuid inputs:object options:object userId:string userEngineId:string masterEngineId:string "
            + "priority:integer runAt:time timeoutSeconds:number idempotencyKey:string"),
        ("Accepted", "!success:boolean !queued:boolean !executionId:uuid status:string created:boolean statusUrl:string eventsUrl:string warnings:[@Problem]"),
        ("RetryRequest", "executionId:uuid from:string instruction:string inputs:object workflow:@Definition"),
        ("Execution", Execution),
        ("Executions", "!executions:[@Execution] !next:string"),
        ("Counts", "!pending:integer !running:integer !waiting:integer !paused:integer !completed:integer !failed:integer !cancelled:integer !exact:boolean"),
        ("Step", "!key:string !nodeId:string !run:integer !attempt:integer !outcome:string branch:string startedAt:time finishedAt:time dueAt:time output:any error:any metrics:any"),
        ("Steps", "run:integer !steps:[@Step] next:string"),
        ("TimelineEntry", "at:time !kind:string nodeId:string key:string !text:string durationMs:integer"),
        ("Timeline", "!entries:[@TimelineEntry] next:string"),
        ("Workflow", "id:uuid name:string version:integer isActive:boolean ownerId:string createdAt:time updatedAt:time definition:@Definition"),
        ("Worker", "!workerId:string !incarnation:integer !host:string url:string !version:string !slots:integer startedAt:time heartbeatAt:time expiresAt:time !alive:boolean !held:integer"),
        ("Workers", "!workers:[@Worker]"),
        ("Queue", "!ready:integer !held:integer !parked:integer oldestAgeMs:integer"),
        ("Job", "!jobId:uuid !status:string phase:string progress:integer prompt:string userId:string error:string createdAt:time startedAt:time finishedAt:time durationMs:integer workerId:string"),
        ("Jobs", "!jobs:[@Job] next:string"),
    ];

    public static void Write(Utf8JsonWriter writer)
    {
        foreach (var (name, properties) in All)
        {
            writer.WriteStartObject(name);
            writer.WriteString("type"u8, "object"u8);
            WriteProperties(writer, properties.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            writer.WriteEndObject();
        }
    }

    private static void WriteProperties(Utf8JsonWriter writer, string[] properties)
    {
        if (properties.Length == 0) return;
        writer.WriteStartObject("properties"u8);
        foreach (var property in properties)
        {
            var colon = property.IndexOf(':', StringComparison.Ordinal);
            writer.WriteStartObject(property[..colon].TrimStart('!'));
            WriteType(writer, property[(colon + 1)..], isRequired: property[0] == '!');
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        var required = properties.Where(static property => property[0] == '!').ToList();
        if (required.Count == 0) return;
        writer.WriteStartArray("required"u8);
        foreach (var property in required) writer.WriteStringValue(property[1..property.IndexOf(':', StringComparison.Ordinal)]);
        writer.WriteEndArray();
    }

    private static void WriteType(Utf8JsonWriter writer, string type, bool isRequired)
    {
        switch (type)
        {
            case "any":
                return;
            case "strings":
                writer.WriteString("type"u8, "array"u8);
                writer.WriteStartObject("items"u8);
                writer.WriteString("type"u8, "string"u8);
                writer.WriteEndObject();
                return;
            case ['[', '@', .. var list, ']']:
                writer.WriteString("type"u8, "array"u8);
                writer.WriteStartObject("items"u8);
                writer.WriteString("$ref"u8, "#/components/schemas/" + list);
                writer.WriteEndObject();
                return;
            case ['@', .. var reference]:
                writer.WriteString("$ref"u8, "#/components/schemas/" + reference);
                return;
            default:
                WriteSimple(writer, type, isRequired || type is "object");
                return;
        }
    }

    // What need not be there may be null as well.
    private static void WriteSimple(Utf8JsonWriter writer, string type, bool isPlain)
    {
        var json = type is "uuid" or "time" ? "string" : type;
        if (isPlain)
        {
            writer.WriteString("type"u8, json);
        }
        else
        {
            writer.WriteStartArray("type"u8);
            writer.WriteStringValue(json);
            writer.WriteStringValue("null"u8);
            writer.WriteEndArray();
        }

        if (type == "uuid") writer.WriteString("format"u8, "uuid"u8);
        if (type == "time") writer.WriteString("format"u8, "date-time"u8);
    }
}

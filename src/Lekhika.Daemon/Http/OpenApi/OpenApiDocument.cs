using System.Globalization;
using System.Text.Json;
using Lekhika.Workflows.Catalogue;

namespace Lekhika.Daemon.Http.OpenApi;

/// <summary>
/// Writes the OpenAPI 3.1 document. Its paths are the routes as they are mapped, so it cannot miss one nor invent one; what it says of them is in
/// <see cref="RouteFacts"/>, and the node types with their fields come from the catalogue.
/// </summary>
internal static class OpenApiDocument
{
    public static byte[] Write(IEnumerable<RouteEndpoint> routes, NodeCatalogue catalogue, string version)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, JsonReply.WriterOptions))
        {
            writer.WriteStartObject();
            writer.WriteString("openapi"u8, "3.1.0"u8);
            writer.WriteStartObject("info"u8);
            writer.WriteString("title"u8, "Lekhika Daemon"u8);
            writer.WriteString("version"u8, version);
            writer.WriteString("description"u8, "Runs AI workflows out of PostgreSQL against local models."u8);
            writer.WriteEndObject();
            writer.WriteStartArray("security"u8);
            writer.WriteStartObject();
            WriteEmptyArray(writer, "internalAuth"u8);
            writer.WriteEndObject();
            writer.WriteEndArray();
            writer.WriteStartObject("paths"u8);
            foreach (var path in routes.GroupBy(PathOf, StringComparer.Ordinal).OrderBy(static path => path.Key, StringComparer.Ordinal))
            {
                writer.WriteStartObject(path.Key);
                foreach (var method in path.SelectMany(MethodsOf).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)) WriteOperation(writer, path.Key, method);
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
            writer.WriteStartObject("components"u8);
            writer.WriteStartObject("securitySchemes"u8);
            writer.WriteStartObject("internalAuth"u8);
            writer.WriteString("type"u8, "apiKey"u8);
            writer.WriteString("in"u8, "header"u8);
            writer.WriteString("name"u8, AccessControl.Header);
            writer.WriteEndObject();
            writer.WriteEndObject();
            writer.WriteStartObject("schemas"u8);
            OpenApiSchemas.Write(writer);
            NodeSchemas.Write(writer, catalogue);
            writer.WriteEndObject();
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }

    /// <summary>The path as OpenAPI writes it: names of parameters without their constraints.</summary>
    public static string PathOf(RouteEndpoint route)
    {
        var segments = route.RoutePattern.PathSegments.Select(static segment => string.Concat(segment.Parts.Select(static part => part switch
        {
            Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal => literal.Content,
            Microsoft.AspNetCore.Routing.Patterns.RoutePatternParameterPart parameter => $"{{{parameter.Name}}}",
            _ => "",
        })));
        return "/" + string.Join('/', segments);
    }

    /// <summary>Its methods; HEAD goes with GET and is not told.</summary>
    public static IEnumerable<string> MethodsOf(RouteEndpoint route) =>
        (route.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"]).Where(static method => method != "HEAD");

    private static void WriteOperation(Utf8JsonWriter writer, string path, string method)
    {
        var fact = RouteFacts.All.GetValueOrDefault($"{method} {path}") ?? new RouteFact("other", $"{method} {path}");
        writer.WriteStartObject(method.ToLowerInvariant());
        writer.WriteStartArray("tags"u8);
        writer.WriteStringValue(fact.Tag);
        writer.WriteEndArray();
        writer.WriteString("summary"u8, fact.Summary);
        writer.WriteString("operationId"u8, OperationId(method, path));
        if (path is "/health" or "/health/ready") WriteEmptyArray(writer, "security"u8);
        WriteParameters(writer, path, fact.Query);
        if (fact.Body is { } body)
        {
            writer.WriteStartObject("requestBody"u8);
            WriteContent(writer, "application/json", body);
            writer.WriteEndObject();
        }

        writer.WriteStartObject("responses"u8);
        writer.WriteStartObject(fact.Success.ToString(CultureInfo.InvariantCulture));
        writer.WriteString("description"u8, "Done"u8);
        if (fact.Reply is { } reply && reply.Contains('/', StringComparison.Ordinal)) WriteContent(writer, reply, schema: null);
        else WriteContent(writer, "application/json", fact.Reply ?? "Object");
        writer.WriteEndObject();
        writer.WriteStartObject("default"u8);
        writer.WriteString("description"u8, "Refused or failed: what, where, what was expected"u8);
        WriteContent(writer, "application/json", "Error");
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteParameters(Utf8JsonWriter writer, string path, string query)
    {
        var inPath = path.Split('/').Where(static part => part.StartsWith('{')).Select(static part => part.Trim('{', '}')).ToList();
        var inQuery = query.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (inPath.Count + inQuery.Length == 0) return;
        writer.WriteStartArray("parameters"u8);
        foreach (var name in inPath) WriteParameter(writer, name, "path", "string", isRequired: true);
        foreach (var name in inQuery) WriteParameter(writer, name.TrimStart('#'), "query", name[0] == '#' ? "integer" : "string", isRequired: false);
        writer.WriteEndArray();
    }

    private static void WriteParameter(Utf8JsonWriter writer, string name, string place, string type, bool isRequired)
    {
        writer.WriteStartObject();
        writer.WriteString("name"u8, name);
        writer.WriteString("in"u8, place);
        writer.WriteBoolean("required"u8, isRequired);
        writer.WriteStartObject("schema"u8);
        writer.WriteString("type"u8, type);
        if (place == "path" && name == "id") writer.WriteString("format"u8, "uuid"u8);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteContent(Utf8JsonWriter writer, string media, string? schema)
    {
        writer.WriteStartObject("content"u8);
        writer.WriteStartObject(media);
        if (schema is not null)
        {
            writer.WriteStartObject("schema"u8);
            writer.WriteString("$ref"u8, $"#/components/schemas/{schema}");
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static string OperationId(string method, string path) => method.ToLowerInvariant()
        + string.Concat(path.Split('/', '-', '.', '{', '}').Where(static part => part.Length > 0).Select(static part => char.ToUpperInvariant(part[0]) + part[1..]));

    private static void WriteEmptyArray(Utf8JsonWriter writer, ReadOnlySpan<byte> name)
    {
        writer.WriteStartArray(name);
        writer.WriteEndArray();
    }
}

using System.Text.Json;
using Lekhika.Daemon.Http.OpenApi;
using Lekhika.Daemon.Tests.Http.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.Http;

public sealed class OpenApiTests
{
    [Fact]
    public async Task Each_mapped_route_is_described_and_each_described_path_is_mapped()
    {
        await using var server = await TestServer.StartAsync();
        var (_, document) = await server.GetAsync("/openapi.json");
        var told = document.GetProperty("paths").EnumerateObject()
            .SelectMany(static path => path.Value.EnumerateObject().Select(method => $"{method.Name.ToUpperInvariant()} {path.Name}")).Order(StringComparer.Ordinal);
        var mapped = server.Routes.SelectMany(static route => OpenApiDocument.MethodsOf(route).Select(method => $"{method} {OpenApiDocument.PathOf(route)}"))
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(mapped, told);
        Assert.Contains("GET /executions/{id}/steps", mapped);
        Assert.DoesNotContain(mapped, static route => !RouteFacts.All.ContainsKey(route));
    }

    [Fact]
    public async Task Every_reference_leads_somewhere_and_every_operation_has_its_own_name()
    {
        await using var server = await TestServer.StartAsync();
        var (_, document) = await server.GetAsync("/openapi.json");
        var schemas = document.GetProperty("components").GetProperty("schemas");
        foreach (var reference in References(document))
            Assert.True(schemas.TryGetProperty(reference["#/components/schemas/".Length..], out _), reference);
        var names = document.GetProperty("paths").EnumerateObject().SelectMany(static path => path.Value.EnumerateObject())
            .Select(static operation => operation.Value.GetProperty("operationId").GetString()).ToList();
        Assert.Equal(names.Distinct(StringComparer.Ordinal), names);
        var prompt = schemas.GetProperty("node.llm").GetProperty("properties").GetProperty("config").GetProperty("properties").GetProperty("prompt");
        Assert.Equal("string", prompt.GetProperty("type")[0].GetString());
    }

    private static IEnumerable<string> References(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(static member =>
            member is { Name: "$ref", Value.ValueKind: JsonValueKind.String } ? [member.Value.GetString()!] : References(member.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(References),
        _ => [],
    };
}

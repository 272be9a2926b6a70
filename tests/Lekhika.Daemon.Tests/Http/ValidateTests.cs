using System.Net;
using Lekhika.Daemon.Tests.Http.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.Http;

public sealed class ValidateTests
{
    [Theory]
    [InlineData("""{"nodes":[{"id":"a","type":"sracping"},{"id":"b","type":"old"}]}""", "nodes[0].type")]
    [InlineData("""{"workflow":{"nodes":[{"id":"a","type":"sracping"},{"id":"b","type":"old"}]}}""", "workflow.nodes[0].type")]
    public async Task All_problems_are_told_with_their_places(string document, string path)
    {
        await using var server = await TestServer.StartAsync();
        var (response, body) = await server.PostAsync("/workflows/validate", document);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.False(body.GetProperty("valid").GetBoolean());
        Assert.Equal("canonical", body.GetProperty("dialect").GetString());
        var problems = body.GetProperty("problems");
        Assert.Equal(2, problems.GetArrayLength());
        Assert.Equal(path, problems[0].GetProperty("path").GetString());
        Assert.Equal("error", problems[0].GetProperty("severity").GetString());
        Assert.Equal("warning", problems[1].GetProperty("severity").GetString());
    }

    [Fact]
    public async Task A_definition_with_warnings_only_is_valid()
    {
        await using var server = await TestServer.StartAsync();
        var (_, body) = await server.PostAsync("/workflows/validate", """{"nodes":[{"id":"b","type":"old"}]}""");
        Assert.True(body.GetProperty("valid").GetBoolean());
    }
}

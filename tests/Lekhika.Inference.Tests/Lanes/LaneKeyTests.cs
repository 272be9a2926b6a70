using Lekhika.Inference.Lanes;
using Lekhika.Inference.Tests.Support;
using Xunit;

namespace Lekhika.Inference.Tests.Lanes;

public sealed class LaneKeyTests
{
    [Theory]
    [InlineData("qwen2.5:7b", "QWEN2.5:7B")]
    [InlineData("mistral", "mistral:latest")]
    [InlineData("registry.ollama.ai/library/mistral", "mistral")]
    [InlineData("library/mistral:latest", "Mistral")]
    [InlineData("hf.co/a/b", "hf.co/a/b:latest")]
    public void Names_of_one_model_share_a_lane(string one, string other) =>
        Assert.Equal(LaneKey.Of(ModelEndpointKind.Ollama, Requests.For(one)), LaneKey.Of(ModelEndpointKind.Ollama, Requests.For(other)));

    [Fact]
    public void Another_context_window_is_another_lane()
    {
        var plain = LaneKey.Of(ModelEndpointKind.Ollama, Requests.For());
        var small = LaneKey.Of(ModelEndpointKind.Ollama, Requests.For() with { ContextTokens = 2048 });
        var large = LaneKey.Of(ModelEndpointKind.Ollama, Requests.For() with { Options = Requests.Json("""{"num_ctx":8192,"temperature":1}""") });

        Assert.Equal(3, new HashSet<LaneKey> { plain, small, large }.Count);
        Assert.Equal("num_ctx=8192", large.Runner);
    }

    [Fact]
    public void Options_that_are_not_the_runners_do_not_divide_lanes() => Assert.Equal(
        LaneKey.Of(ModelEndpointKind.Ollama, Requests.For()),
        LaneKey.Of(ModelEndpointKind.Ollama, Requests.For() with { Temperature = 1, Options = Requests.Json("""{"seed":1}""") }));

    [Fact]
    public void The_order_of_options_does_not_matter() => Assert.Equal(
        LaneKey.Of(ModelEndpointKind.Ollama, Requests.For() with { Options = Requests.Json("""{"num_gpu":1,"num_ctx":8}""") }),
        LaneKey.Of(ModelEndpointKind.Ollama, Requests.For() with { ContextTokens = 8, Options = Requests.Json("""{"num_gpu":1}""") }));

    [Fact]
    public void Servers_that_do_not_swap_have_no_runner_options() => Assert.Equal(
        LaneKey.Of(ModelEndpointKind.OpenAi, Requests.For()),
        LaneKey.Of(ModelEndpointKind.OpenAi, Requests.For() with { ContextTokens = 8 }));
}

using System.Text;
using System.Text.Json;
using Lekhika.Daemon.Hosting;
using Lekhika.Daemon.Nodes;
using Lekhika.Daemon.Tests.Configuration;
using Lekhika.Inference;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Lekhika.Daemon.Tests.Nodes;

public sealed class RememberingCompilerTests
{
    [Fact]
    public void The_same_definition_is_compiled_once()
    {
        var counting = new Counting(new CompileResult(null, "canonical", []));
        var compiler = new RememberingCompiler(counting);
        var first = compiler.Compile(Parse("""{"nodes": [1]}"""));
        Assert.Same(first, compiler.Compile(Parse("""{"nodes": [1]}""")));
        compiler.Compile(Parse("""{"nodes": [2]}"""));
        Assert.Equal(2, counting.Times);
    }

    [Fact]
    public void Another_configuration_compiles_anew_and_keeps_nothing_that_the_one_before_still_had_in_hand()
    {
        RememberingCompiler compiler = null!;
        var after = new Counting(new CompileResult(null, "canonical", []));
        var before = new Counting(new CompileResult(null, "canonical", [])) { Meanwhile = () => compiler.Replace(after) };
        compiler = new RememberingCompiler(before);
        var old = compiler.Compile(Parse("{}"));
        Assert.NotSame(old, compiler.Compile(Parse("{}")));
        Assert.Equal((1, 1), (before.Times, after.Times));
    }

    [Fact]
    public async Task What_is_kept_outlives_the_request_it_came_with()
    {
        var options = Read.Options($"{Read.Minimal}[ollama]\nurl = http://127.0.0.1:9\n");
        await using var models = new ModelPool(ModelSettings.PoolOptions(options), TimeProvider.System, new Random(1));
        var compiler = new RememberingCompiler(
            WorkflowSettings.Compiler(options, models, new ModelSettings(new() { Slots = 1 }, options.Models), NullLogger.Instance, TimeProvider.System));
        var text = """{"nodes":[{"id":"a","type":"set","config":{"values":{"x":"{{ inputs.n }}"}}}],"edges":[]}""";
        var bytes = Encoding.UTF8.GetBytes(text);
        CompiledWorkflow? workflow;
        using (var document = JsonDocument.Parse(bytes.AsMemory())) workflow = compiler.Compile(document.RootElement).Workflow;

        Array.Clear(bytes);
        Assert.Equal("""{"values":{"x":"{{ inputs.n }}"}}""", workflow!.Plan.Nodes[0].Definition.Config.GetRawText());
        Assert.Same(workflow, compiler.Compile(Parse(text)).Workflow);
    }

    [Fact]
    public void Definitions_without_end_are_not_all_kept()
    {
        var counting = new Counting(new CompileResult(null, "canonical", []));
        var compiler = new RememberingCompiler(counting);
        var padding = new string('x', 1024 * 1024);
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < 40; i++) compiler.Compile(Parse($$"""{"name": "{{i}} {{padding}}"}"""));
        }

        // Of 40 MB no more than 16 can be there the second time.
        Assert.InRange(counting.Times, 40 + 24, 80);
    }

    private static JsonElement Parse(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    private sealed class Counting(CompileResult result) : IWorkflowCompiler
    {
        public int Times { get; private set; }

        public Action Meanwhile { get; init; } = static () => { };

        public CompileResult Compile(JsonElement document)
        {
            Times++;
            Meanwhile();
            return result with { };
        }
    }
}

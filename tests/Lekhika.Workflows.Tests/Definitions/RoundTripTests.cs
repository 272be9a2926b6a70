using System.Collections.Immutable;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Dialects;
using Xunit;

namespace Lekhika.Workflows.Tests.Definitions;

public sealed class RoundTripTests
{
    [Fact]
    public void A_definition_written_in_canonical_form_reads_back_the_same() =>
        Prop.ForAll(Graphs(2).ToArbitrary(), definition =>
        {
            var result = WorkflowReader.Read(DefinitionWriter.ToElement(definition), new ReadOptions());
            Assert.Equal(Dialect.Canonical, result.Dialect);
            Assert.Empty(result.Problems);
            Same(definition, result.Definition!);
        }).QuickCheckThrowOnFailure();

    private static void Same(WorkflowDefinition expected, WorkflowDefinition actual)
    {
        Assert.Equal(expected.Name, actual.Name);
        Assert.Equal(expected.Edges, actual.Edges);
        Assert.Equal(expected.Nodes.Length, actual.Nodes.Length);
        foreach (var (left, right) in expected.Nodes.Zip(actual.Nodes))
        {
            Assert.True(JsonElement.DeepEquals(left.Config, right.Config), $"{left.Config} became {right.Config}");
            Assert.Equal(left with { Config = default, Body = null }, right with { Config = default, Body = null });
            Assert.Equal(left.Body is null, right.Body is null);
            if (left.Body is not null) Same(left.Body, right.Body!);
        }
    }

    private static Gen<string> Names() =>
        Gen.Elements("a", "b-1", "scrape 2", "é", "x.y[0]", "\"quoted\"", "{{ braces }}", "\\", "長い", "end");

    private static Gen<JsonElement> Configs() => Gen.Elements(
        "{}", """{"prompt":"{{ inputs.x }}"}""", """{"deep":[{"a":[1,2.50,null,true]}],"é":"\u00e9\n"}""", """{"n":1e3,"big":12345678901234567890}""")
        .Select(Documents.Json);

    private static Gen<TimeSpan> Durations() => Gen.Choose(0, 1_000_000_000).Select(number => TimeSpan.FromMilliseconds(number));

    private static Gen<RetryPolicy?> Retries() =>
        from attempts in Gen.Choose(0, 100)
        from initial in Durations()
        from most in Durations()
        from backoff in Gen.Elements(1.0, 1.5, 2.0, 10.0)
        from jitter in Gen.Elements(0.0, 0.2, 1.0)
        select attempts == 0
            ? null
            : new RetryPolicy { MaxAttempts = attempts, InitialDelay = initial, MaxDelay = most, Backoff = backoff, Jitter = jitter };

    private static Gen<NodeDefinition> Nodes(int depth) =>
        from id in Names()
        from name in Names()
        from named in Gen.Elements(true, false)
        from type in Gen.Elements("llm", "map", "loop", "http", "merge", "condition")
        from config in Configs()
        from joining in Gen.Elements(JoinMode.All, JoinMode.Any)
        from mode in Gen.Elements(ErrorMode.Fail, ErrorMode.Continue, ErrorMode.Branch)
        from retry in Retries()
        from timeout in Durations()
        from optional in Gen.Elements(true, false)
        from body in depth > 0 ? Graphs(depth - 1) : Gen.Constant<WorkflowDefinition>(null!)
        select new NodeDefinition
        {
            Id = id,
            Type = type,
            Name = named ? name : null,
            Config = config,
            Join = joining,
            OnError = mode,
            Retry = retry,
            Timeout = optional ? timeout : null,
            Optional = optional,
            Body = type is "map" or "loop" ? body is null ? null : body with { Name = "" } : null,
        };

    private static Gen<WorkflowDefinition> Graphs(int depth) =>
        from name in Names()
        from nodes in Gen.ListOf(Nodes(depth), 3)
        from edges in Gen.ListOf(
            from start in Names() from end in Names() from label in Names() from plain in Gen.Elements(true, false) select new EdgeDefinition(start, end, plain ? null : label), 3)
        select new WorkflowDefinition { Name = name, Nodes = [.. nodes], Edges = [.. edges] };
}

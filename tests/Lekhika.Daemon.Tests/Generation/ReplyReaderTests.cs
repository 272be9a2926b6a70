using System.Text.Json;
using System.Text.Json.Nodes;
using Lekhika.Daemon.Generation;
using Xunit;

namespace Lekhika.Daemon.Tests.Generation;

/// <summary>Broken replies of every kind, each with the repair it must get, or the refusal.</summary>
public sealed class ReplyReaderTests
{
    private const string Good = """{"nodes":[{"id":"a","config":{"n":1}}],"edges":[]}""";

    public static TheoryData<string, string, string> Repaired => new()
    {
        { "as asked for", Good, "" },
        { "blanks and a byte order mark", "\uFEFF \n" + Good + "\n\n", "" },
        { "in prose", "Sure! Here is your workflow:\n" + Good + "\nLet me know {if} you need more.", "" },
        { "in a fence", "```json\n" + Good + "\n```", "" },
        { "in a bare fence", "```\n" + Good + "\n```", "" },
        { "in a fence that is not closed", "Here:\n```json\n" + Good, "" },
        { "after thinking", "<think>I could use {\"nodes\": [1]} or a list… {maybe}</think>\n" + Good, "" },
        { "after thinking whose beginning was swallowed", "so I will draw one node.</think>" + Good, "" },
        { "prose with braces before", "Use {{input.x}} and {curly} things: " + Good, "" },
        { "a draft first, the answer then", """First {"nodes":[],"edges":[]} but better: """ + Good, "" },
        { "JSON inside a JSON string", Quoted(Good), "JSON inside a string taken out" },
        { "trailing commas", """{"nodes":[{"id":"a","config":{"n":1,},},],"edges":[],}""", "trailing comma removed" },
        { "doubled commas", """{"nodes":[,{"id":"a","config":{"n":1}}],,"edges":[]}""", "extra comma removed" },
        { "a missing comma between members", "{\"nodes\":[{\"id\":\"a\",\"config\":{\"n\":1}}]\n\"edges\":[]}", "missing comma added" },
        { "comments", "{// the nodes\n\"nodes\":[{\"id\":\"a\",/* c */\"config\":{\"n\":1}}],\n# end\n\"edges\":[]}", "comments removed" },
        { "single quotes", "{'nodes':[{'id':'a','config':{'n':1}}],'edges':[]}", "single quotes replaced" },
        { "typographic quotes", "{“nodes”:[{“id”:“a”,“config”:{“n”:1}}],“edges”:[]}", "typographic quotes replaced" },
        { "names without quotes", "{nodes:[{id:\"a\",config:{n:1}}],edges:[]}", "quotes put around names" },
        { "the last brackets forgotten", """{"nodes":[{"id":"a","config":{"n":1}}],"edges":[]""", "missing brackets added at the end" },
        { "a bracket forgotten inside", """{"nodes":[{"id":"a","config":{"n":1}],"edges":[]}""", "missing bracket added" },
        { "too many brackets", Good + "}}", "" },
        { "numbers in short", """{"nodes":[{"id":"a","config":{"n":+1}}],"edges":[]}""", "numbers written in full" },
    };

    public static TheoryData<string, string, bool, string> Refused => new()
    {
        { "nothing", "  ", false, "empty" },
        { "prose", "I am sorry, I cannot do that.", false, "no JSON object" },
        { "cut inside a string", """{"nodes":[{"id":"a","config":{"prompt":"Write a po""", false, "inside a string" },
        { "cut after a comma", """{"nodes":[{"id":"a","config":{}},""", false, "after a comma" },
        { "cut inside a number", """{"nodes":[{"id":"a","position":{"x":12""", false, "inside a number" },
        { "cut inside a word", """{"nodes":[{"id":"a","optional":tr""", false, "inside a word" },
        { "brackets missing because it was cut off", """{"nodes":[{"id":"a","config":{"n":1}}],"edges":[]""", true, "cut off" },
        { "quotes inside a string", """{"nodes":[{"id":"a","config":{"text":"say "hello" to them"}}],"edges":[]}""", false, "quotes inside a string" },
        { "an apostrophe in single quotes", "{'nodes':[{'id':'a','config':{'text':'don't'}}],'edges':[]}", false, "middle of a text" },
        { "an ellipsis", """{"nodes":[{"id":"a","config":{}}, ...],"edges":[]}""", false, "expected a value" },
        { "a word that is no value", """{"nodes":[{"id":"a","config":undefined}],"edges":[]}""", false, "no value" },
        { "a bracket that closes nothing", """{"nodes":{"id":"a"],"edges":[]}""", false, "closes nothing" },
        { "JSON of something else", """{"answer": 42}""", false, "not the object" },
    };

    [Theory]
    [MemberData(nameof(Repaired))]
    public void What_has_one_meaning_is_found_and_put_right(string what, string reply, string repair)
    {
        var result = ReplyReader.Read(reply, wasCut: false, WorkflowDraft.Fits);

        Assert.True(result.Value is not null, $"{what}: {result.Problem}");
        Assert.Equal(Good, Compact(result.Value.Value));
        if (repair.Length == 0) Assert.Empty(result.Repairs);
        else Assert.Contains(repair, result.Repairs);
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_could_mean_several_things_is_refused_with_the_reason(string what, string reply, bool wasCut, string reason)
    {
        var result = ReplyReader.Read(reply, wasCut, WorkflowDraft.Fits);

        Assert.True(result.Value is null, what);
        Assert.Contains(reason, result.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_string_that_holds_fences_and_brackets_survives_to_the_letter()
    {
        const string text = "Answer in a fence:\n```json\n{\"a\": [1, 2}\n```\nand </think> no more.";
        var reply = "Here:\n```json\n{\"nodes\":[{\"id\":\"a\",\"config\":{\"prompt\":" + Quoted(text) + "}}],\"edges\":[]}\n```";

        var result = ReplyReader.Read(reply, wasCut: false, WorkflowDraft.Fits);

        Assert.Equal(text, result.Value!.Value.GetProperty("nodes")[0].GetProperty("config").GetProperty("prompt").GetString());
        Assert.Empty(result.Repairs);
    }

    [Fact]
    public void Line_breaks_and_stray_backslashes_in_strings_are_escaped()
    {
        var result = ReplyReader.Read("{\"nodes\":[{\"id\":\"a\",\"config\":{\"t\":\"one\ntwo \\d it\\'s\"}}],\"edges\":[]}", wasCut: false, WorkflowDraft.Fits);

        Assert.Equal("one\ntwo \\d it's", result.Value!.Value.GetProperty("nodes")[0].GetProperty("config").GetProperty("t").GetString());
        Assert.Contains("control characters in strings escaped", result.Repairs);
        Assert.Contains("stray backslashes put right", result.Repairs);
    }

    [Fact]
    public void What_no_database_can_store_is_replaced()
    {
        var result = ReplyReader.Read("""{"nodes":[{"id":"a\u0000b\ud800c","config":{}}],"edges":[]}""", wasCut: false, WorkflowDraft.Fits);

        Assert.Equal("a\uFFFDb\uFFFDc", result.Value!.Value.GetProperty("nodes")[0].GetProperty("id").GetString());
    }

    [Fact]
    public void Python_words_are_read()
    {
        var result = ReplyReader.Read("""{"nodes":[{"id":"a","config":{"x":True,"y":None}}],"edges":[]}""", wasCut: false, WorkflowDraft.Fits);

        Assert.Equal("""{"x":true,"y":null}""", Compact(result.Value!.Value.GetProperty("nodes")[0].GetProperty("config")));
        Assert.Contains("Python words replaced", result.Repairs);
    }

    [Fact]
    public void Long_garbage_is_given_up_in_bounded_time()
    {
        var begin = TimeProvider.System.GetTimestamp();
        var result = ReplyReader.Read(string.Concat(Enumerable.Repeat("{\"a\":[", 50_000)), wasCut: false, WorkflowDraft.Fits);

        Assert.Null(result.Value);
        Assert.True(TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(10));
    }

    private static string Quoted(string text) => $"\"{JsonEncodedText.Encode(text)}\"";

    private static string Compact(JsonElement value) => JsonNode.Parse(value.GetRawText())!.ToJsonString();
}

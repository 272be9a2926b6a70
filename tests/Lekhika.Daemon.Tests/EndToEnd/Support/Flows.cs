namespace Lekhika.Daemon.Tests.EndToEnd.Support;

/// <summary>Definitions that several tests use.</summary>
internal static class Flows
{
    /// <summary>One node that computes and asks nobody.</summary>
    public const string Trivial = """{"nodes":[{"id":"a","type":"set","config":{"values":{"x":1}}}],"edges":[]}""";

    /// <summary>One llm node; the reply is the result's text.</summary>
    public static string OneModel(string prompt, string model = "llama3.2", string more = "") =>
        $$"""{"nodes":[{"id":"ask","type":"llm","config":{"model":"{{model}}","prompt":"{{prompt}}"}{{more}}}],"edges":[]}""";

    /// <summary>Llm nodes one after the other: a, b, c …</summary>
    public static string Chain(params string[] prompts)
    {
        var nodes = prompts.Select((prompt, i) =>
            $$$"""{"id":"{{{(char)('a' + i)}}}","type":"llm","config":{"model":"llama3.2","prompt":"{{{prompt}}}"}}""");
        var edges = Enumerable.Range(0, prompts.Length - 1).Select(i => $$"""{"from":"{{(char)('a' + i)}}","to":"{{(char)('b' + i)}}"}""");
        return $$"""{"nodes":[{{string.Join(',', nodes)}}],"edges":[{{string.Join(',', edges)}}]}""";
    }

    /// <summary>A prompt that the double answers with this text.</summary>
    public static string Say(string text) => $"[[double:reply:{text}]]";

    /// <summary>A prompt that the double answers slowly: so many tokens at so many a second.</summary>
    public static string Slowly(int tokens, int perSecond, string mark = "") => $"{mark} [[double:tokens:{tokens}]] [[double:speed:{perSecond}]]";
}

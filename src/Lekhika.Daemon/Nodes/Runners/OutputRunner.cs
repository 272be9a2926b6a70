using System.Text.Json;
using Lekhika.Daemon.Nodes.Documents;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>
/// The result: a value as it is, or the texts and chapters of nodes compiled into a document. An output that says nothing gives on what came before;
/// if that holds a text, the document is added to it.
/// </summary>
internal sealed class OutputRunner : INodeRunner
{
    private static readonly string[] DocumentFields = ["from", "format", "formats", "title", "author", "toc"];

    public ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken) =>
        ValueTask.FromResult<NodeOutcome>(new NodeSucceeded(Result(call)));

    private static JsonElement Result(NodeCall call)
    {
        if (call.Config.Get("value") is { } value)
        {
            return value.ValueKind == JsonValueKind.Object ? value : JsonConstants.Object(writer =>
            {
                writer.WritePropertyName("value");
                value.WriteTo(writer);
            });
        }

        var previous = call.Machine.PreviousOf(call.Step) ?? call.Run.Inputs;
        var sources = Sources(call, previous);
        var sections = sources.SelectMany(source => DocumentReader.Sections(source.Output, sources.Count > 1 ? source.Title : "")).ToList();
        var isPlain = !DocumentFields.Any(name => call.Config.Get(name) is not null);
        if (sections.Count == 0 || (isPlain && previous.Get("text") is null && previous.Get("chapters") is null))
            return previous.ValueKind == JsonValueKind.Object ? previous : JsonConstants.Object(writer =>
            {
                writer.WritePropertyName("value");
                previous.WriteTo(writer);
            });
        return Compiled(call, new Document(Title(call, sources), call.Config.Text("author") ?? "", call.Config.Flag("toc"), [.. sections]), isPlain ? previous : null);
    }

    private static JsonElement Compiled(NodeCall call, Document document, JsonElement? kept)
    {
        var format = DocumentForms.Find(call.Config.Text("format") ?? "") ?? DocumentForms.Markdown;
        var forms = new List<string> { format };
        var warnings = new List<string>();
        foreach (var word in call.Config.Texts("formats").SelectMany(static text => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)))
        {
            if (DocumentForms.Find(word) is not { } form) warnings.Add($"The format '{word}' is not made here; markdown, html, text and json are.");
            else if (!forms.Contains(form)) forms.Add(form);
        }

        var written = forms.ToDictionary(static form => form, form => DocumentForms.Write(document, form), StringComparer.Ordinal);
        string[] own = ["content", "format", "formats", "chapters", "title", "author", "words", "warnings"];
        return JsonConstants.Object(writer =>
        {
            if (kept is { ValueKind: JsonValueKind.Object } before)
            {
                foreach (var property in before.EnumerateObject())
                {
                    if (!own.Contains(property.Name)) property.WriteTo(writer);
                }
            }

            writer.WriteString("content", written[format]);
            writer.WriteString("format", format);
            if (forms.Count > 1)
            {
                writer.WriteStartObject("formats");
                foreach (var (form, text) in written) writer.WriteString(form, text);
                writer.WriteEndObject();
            }

            if (document.Sections.Any(static section => section.Number is not null))
                DocumentReader.WriteChapters(writer, document.Sections.Where(static section => section.Number is not null));
            writer.WriteString("title", document.Title);
            if (document.Author.Length > 0) writer.WriteString("author", document.Author);
            writer.WriteNumber("words", document.WordCount);
            if (warnings.Count == 0) return;
            writer.WriteStartArray("warnings");
            foreach (var warning in warnings) writer.WriteStringValue(warning);
            writer.WriteEndArray();
        });
    }

    /// <summary>The outputs to compile, with the names of their nodes: those named in <c>from</c> that ran, else those before.</summary>
    private static List<(string Title, JsonElement Output)> Sources(NodeCall call, JsonElement previous)
    {
        var named = new List<(string, JsonElement)>();
        foreach (var id in call.Config.Texts("from"))
        {
            if (call.Machine.VisibleOutput(call.Step, id) is { } output) named.Add((NameOf(call, id), output));
        }

        if (named.Count > 0) return named;
        if (call.Step.Predecessors.Count <= 1) return [("", previous)];
        foreach (var key in call.Step.Predecessors)
        {
            if (call.Machine.OutputOf(key) is { } output && call.Machine.Step(key) is { } step) named.Add((step.Node.Definition.DisplayName, output));
        }

        return named;
    }

    private static string NameOf(NodeCall call, string id) =>
        (call.Step.Scope is { } scope ? scope.LoopStep.Node.Body : call.Machine.Plan)?.Find(id)?.Definition.DisplayName ?? id;

    private static string Title(NodeCall call, List<(string Title, JsonElement Output)> sources)
    {
        if (call.Config.Text("title") is { Length: > 0 } given) return given;
        foreach (var (_, output) in sources)
        {
            if (output.Text("title") is { Length: > 0 } found) return found;
        }

        return "";
    }
}

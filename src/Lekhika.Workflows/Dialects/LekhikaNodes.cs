using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Validation;

namespace Lekhika.Workflows.Dialects;

/// <summary>The config of Lekhika's nodes.</summary>
internal sealed class LekhikaNodes(LekhikaNames names, LekhikaFlow flow, ModelNames models, ProblemList problems)
{
    private const string Details = "\n\nDetails given for this work:\n{{ inputs }}";

    public void Map(DraftNode node)
    {
        switch (node.Type)
        {
            case "trigger": Trigger(node); break;
            case "llm": Llm(node); break;
            case "chapters": Chapters(node); break;
            case "refine": Refine(node); break;
            case "image": Image(node); break;
            case "condition": Condition(node); break;
            case "approval": node.Set("message", $"Review what \"{node.Name ?? node.Id}\" shows before the workflow goes on."); break;
            case "output": Output(node); break;
            case "noop": break;
            default:
                node.Config = node.Source.ObjectOrEmpty("config").ToNode() as JsonObject ?? [];
                break;
        }
    }

    private static string Place(DraftNode node, string field) => JsonPath.Key(node.ConfigPath, field);

    private void Trigger(DraftNode node)
    {
        if (!node.Source.TryGet("inputFields", out var fields) || fields.ValueKind != JsonValueKind.Array) return;
        node.Set("fields", TriggerFields.Read(fields, Place(node, "inputFields"), problems), "inputFields");
    }

    private void Llm(DraftNode node)
    {
        var (prompt, own) = Prompt(node);
        if (!own) prompt += Details;
        if (flow.TextFor(node) is { } before && !Mentions(prompt, before))
            prompt += $"\n\nMaterial from the step before:\n{{{{ {LekhikaNames.TextOf(before, "\"\"")} }}}}";
        SetPrompt(node, prompt);
        Model(node);
    }

    private void Chapters(DraftNode node)
    {
        var (prompt, own) = Prompt(node);
        if (!own) prompt += Details;
        if (!prompt.Contains("item.number", StringComparison.Ordinal))
        {
            prompt += "\n\nWrite chapter {{ item.number }} of {{ item.total }} now: {{ item.title }}\nWhat this chapter is for: {{ item.outline }}\n"
                + "What came before: {{ item.previous_summary }}\nGive the text of this chapter only, without its title.";
        }

        SetPrompt(node, prompt);
        Model(node);
        node.Set("chapters", $"{{{{ {LekhikaChapters.Count()} }}}}");
        node.Set("words", $"{{{{ {LekhikaChapters.Words("null")} }}}}");
        node.Set("title", $"{{{{ {LekhikaNames.Input("\"\"", "book_title", "topic")} }}}}");
        if (flow.PlanFor(node) is { } plan) node.Set("structure", $"{{{{ {LekhikaNames.TextOf(plan, "null")} }}}}");
        if (flow.MaterialFor(node) is { } material && !Mentions(prompt, material))
            node.Set("context", $"{{{{ {LekhikaNames.TextOf(material, "null")} }}}}");
    }

    private void Refine(DraftNode node)
    {
        var (prompt, own) = Prompt(node);
        if (own && !prompt.Contains("item.text", StringComparison.Ordinal)) prompt += "\n\n{{ item.text }}";
        SetPrompt(node, prompt);
        Model(node);
        if ((flow.BookFor(node) ?? flow.TextFor(node)) is { } book)
            node.Set("source", $"{{{{ {CelText.Quote(book.Id)} in nodes ? {CelText.Node(book.Id)} : previous }}}}");
    }

    private void Image(DraftNode node)
    {
        var (prompt, own) = Prompt(node);
        if (!own) prompt += $"\n{{{{ {LekhikaNames.Input("\"\"", "book_title", "topic")} }}}}";
        node.Set("prompt", prompt, "userPrompt");
        node.Set("purpose", node.Role == "ecover_generator" ? "cover" : "image");
        if (node.Source.Text("negativePrompt") is { } negative) node.Set("negative_prompt", Translate(negative, node), "negativePrompt");
        if (SelectedModel(node) is { } model) node.Set("model", ModelNames.Split(model).Model, "selectedModels");
        node.Optional = true;
    }

    private void Condition(DraftNode node)
    {
        var parts = new List<string>();
        if (node.Source.TryGet("conditions", out var list) && list.ValueKind == JsonValueKind.Array)
        {
            var index = 0;
            foreach (var item in list.EnumerateArray())
            {
                var place = JsonPath.Index(Place(node, "conditions"), index++);
                if (item.Text("field") is not { } field)
                {
                    problems.Error("missing_config", place, "a condition needs a field, an operator and a value");
                    continue;
                }

                var word = item.Text("operator") ?? "equals";
                var subject = names.Value(field.Contains('.', StringComparison.Ordinal) ? field[(field.LastIndexOf('.') + 1)..] : field.Trim('{', '}', ' '), node, "null");
                var part = FieldConditions.Translate(subject, word, item.TryGet("value", out var value) ? value : default);
                if (part is not null) parts.Add(part);
                else Refused(place, word);
            }
        }

        if (parts.Count > 0) node.Set("expression", string.Join(" && ", parts), "conditions");
        else if (node.Source.Text("expression") is { } expression) node.Set("expression", expression, "expression");
    }

    private void Refused(string place, string word)
    {
        var close = Suggestions.Closest(word, FieldConditions.Operators);
        problems.Error(
            "wrong_value",
            place + ".operator",
            $"the operator '{word}' is not known or does not fit its value; known are {string.Join(", ", FieldConditions.Operators)}{Suggestions.Ask(close)}",
            close);
    }

    private void Output(DraftNode node)
    {
        var asked = new List<string>();
        if (node.Source.Text("outputFormat") is { } single) asked.Add(single);
        if (node.Source.TryGet("exportFormats", out var list) && list.ValueKind == JsonValueKind.Array)
            asked.AddRange(list.EnumerateArray().Select(static item => item.Scalar() ?? item.Text("value")).OfType<string>());
        var formats = new List<string>();
        foreach (var word in asked)
        {
            var format = word.ToLowerInvariant() switch { "md" or "markdown" => "markdown", "txt" or "text" or "plain" => "text", "html" => "html", "json" => "json", _ => null };
            if (format is null) problems.Warn("format_not_made", node.ConfigPath, $"the format '{word}' is not made here; markdown, html, text and json are");
            else if (!formats.Contains(format)) formats.Add(format);
        }

        var standard = formats.Count > 0 ? formats : ["markdown"];
        node.Set("format", standard[0], "outputFormat");
        var listed = CelText.List(standard);
        node.Set("formats", $"{{{{ {LekhikaNames.Input(listed, "output_formats")} }}}}", "exportFormats");
        if ((flow.BookFor(node) ?? flow.TextFor(node)) is { } book) node.Set("from", book.Id);
        node.Set("title", $"{{{{ {LekhikaNames.Input("\"\"", "book_title", "topic")} }}}}");
        node.Set("author", $"{{{{ {LekhikaNames.Input("\"\"", "author_name")} }}}}");
        if (node.Source.TryGet("includeTOC", out var toc) && toc.ValueKind == JsonValueKind.True) node.Set("toc", true, "includeTOC");
    }

    private (string Text, bool Own) Prompt(DraftNode node)
    {
        if (node.Source.TryGet("aiEnabled", out var enabled) && enabled.ValueKind == JsonValueKind.False && node.Type != "image")
        {
            problems.Error(
                "ai_disabled", Place(node, "aiEnabled"), $"AI is switched off in '{node.Name ?? node.Id}', so it can do nothing; switch it on or remove the node");
        }

        var given = node.Source.Text("userPrompt") ?? node.Source.Text("processingInstructions");
        return given is null ? (LekhikaRoles.Prompt(node), false) : (Translate(given, node), true);
    }

    private string Translate(string text, DraftNode node) => LekhikaTemplates.Translate(text, name => names.Text(name, node));

    private void SetPrompt(DraftNode node, string prompt)
    {
        node.Set("prompt", prompt, node.Source.Text("userPrompt") is null ? "processingInstructions" : "userPrompt");
        var system = node.Source.Text("systemPrompt") is { } own ? Translate(own, node) : LekhikaRoles.System(node);
        if (system.Length > 0) node.Set("system", system, "systemPrompt");
    }

    private void Model(DraftNode node)
    {
        if (models.Resolve(SelectedModel(node), Place(node, "selectedModels")) is { } model) node.Set("model", model, "selectedModels");
        Number(node, "temperature", "temperature", whole: false);
        Number(node, "max_tokens", "maxTokens", whole: true);
    }

    private static string? SelectedModel(DraftNode node)
    {
        if (!node.Source.TryGet("selectedModels", out var list)) return null;
        if (list.ValueKind == JsonValueKind.String) return list.GetString();
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() == 0) return null;
        return list[0].Scalar() ?? list[0].Text("model") ?? list[0].Text("id");
    }

    private static void Number(DraftNode node, string field, string author, bool whole)
    {
        if (!node.Source.TryGet(author, out var value) || !double.TryParse(value.Scalar(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)) return;
        if (!double.IsFinite(number) || (whole && (number < 1 || number > 1e9))) return;
        node.Set(field, whole ? JsonValue.Create((long)number) : JsonValue.Create(number), author);
    }

    private static bool Mentions(string prompt, DraftNode node) => prompt.Contains(CelText.Node(node.Id), StringComparison.Ordinal);
}

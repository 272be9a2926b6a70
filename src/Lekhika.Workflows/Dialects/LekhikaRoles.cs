using System.Text.Json;
using Lekhika.Workflows.Definitions;

namespace Lekhika.Workflows.Dialects;

/// <summary>What a role makes of a node, and the words it works with where the author gave none.</summary>
internal static class LekhikaRoles
{
    public static readonly string[] Types = ["input", "process", "output", "condition", "preview", "structural"];

    private static readonly string[] WriterRoles = ["content_writer", "technical_writer", "copywriter"];

    private static readonly string[] WriterLabels = ["writer", "writing", "literary", "narrative", "author"];

    private static readonly string[] StructureLabels = ["structural", "structure", "architect", "outline"];

    /// <summary>The canonical type that role and label give a node; null if its type tells.</summary>
    public static string? Resolve(DraftNode node) => node.AuthorType switch
    {
        "process" => Process(node),
        "structural" when node.Role.Length > 0 || node.Source.Text("userPrompt") is not null || node.Source.Text("systemPrompt") is not null => Process(node),
        _ => null,
    };

    public static bool IsStructural(DraftNode node)
    {
        if (node.Type != "llm") return false;
        if (node.Role.Contains("architect", StringComparison.Ordinal) || node.Role is "outliner" or "structural") return true;
        if (node.Source.ObjectOrEmpty("permissions").TryGet("canEditStructure", out var may) && may.ValueKind == JsonValueKind.True) return true;
        return LabelHas(node, StructureLabels);
    }

    /// <summary>Who the model is to be.</summary>
    public static string System(DraftNode node) => node switch
    {
        { Type: "chapters" } => "You write books. You keep to the plan, carry the thread from chapter to chapter and never repeat what was said before.",
        { Type: "refine" } => "You edit books. You mend language, flow and consistency, and leave facts and voice as they are.",
        _ when IsStructural(node) => "You plan books. You find the order in which a subject is best told and say what each chapter is for.",
        { Role: "researcher" } => "You do research for authors. You gather what matters, order it, and mark what is uncertain.",
        { Role: "image_generator" or "ecover_generator" } => "",
        _ => "You assist an author. You are exact, complete and to the point.",
    };

    /// <summary>What is asked, before the details and the material that the reader adds.</summary>
    public static string Prompt(DraftNode node) => node switch
    {
        { Type: "chapters" } => "Write the text that is described here.",
        { Type: "refine" } =>
            "Edit the following text: mend grammar, wording and flow, and remove repetition. Give back the whole edited text and nothing else.\n\n{{ item.text }}",
        _ when IsStructural(node) =>
            "Plan a book from the details and the material below. Answer with JSON: {\"title\": \"...\", \"outline\": \"...\", "
            + "\"chapter_breakdown\": [{\"title\": \"...\", \"summary\": \"...\"}]}.",
        { Role: "researcher" } =>
            "Gather what a book on the subject below needs: main ideas, facts, examples, quotations worth keeping, and open questions. Order it by theme.",
        { Role: "image_generator" } => "An illustration that fits the text and its audience.",
        { Role: "ecover_generator" } => "A book cover with a clear central motif and room for the title.",
        _ => $"As {Title(node)}, work on the details and the material below and give your result as plain text.",
    };

    private static string Process(DraftNode node)
    {
        if (node.Role is "image_generator" or "ecover_generator") return "image";
        if (node.Role is "editor" or "proofreader") return "refine";
        if (WriterRoles.Contains(node.Role)) return "chapters";
        if (node.Role.Length > 0 && !node.Role.Contains("writer", StringComparison.Ordinal)) return "llm";
        if (LabelHas(node, StructureLabels)) return "llm";
        if (LabelHas(node, ["editor", "proofread"])) return "refine";
        return LabelHas(node, WriterLabels) || node.Role.Contains("writer", StringComparison.Ordinal) ? "chapters" : "llm";
    }

    private static string Title(DraftNode node) =>
        node.Role.Length > 0 ? $"a {node.Role.Replace('_', ' ')}" : $"the step \"{node.Name ?? node.Id}\" of a workflow";

    private static bool LabelHas(DraftNode node, string[] words) =>
        node.Name is { } label && words.Any(word => label.Contains(word, StringComparison.OrdinalIgnoreCase));
}

using System.Text.Json;
using Lekhika.Workflows.Expressions;
using Lekhika.Workflows.Templates;

namespace Lekhika.Daemon.Nodes.Models;

/// <summary>A field that is rendered once for each item: which members of the item it names, and its text for one.</summary>
internal sealed class ItemTemplate
{
    private readonly TextTemplate _template;

    private ItemTemplate(TextTemplate template) => _template = template;

    /// <summary>Reads a field of the configuration as it was written; null if it is not given.</summary>
    public static ItemTemplate? Read(NodeCall call, string field) =>
        call.Program.RawConfig.Text(field) is { Length: > 0 } text ? new ItemTemplate(TextTemplate.Compile(text, "config." + field)) : null;

    /// <summary>Whether it names that member of the item, or the item as a whole.</summary>
    public bool Names(string member) => _template.References.Any(reference =>
        reference.Name == "item" && (reference.Path.Count == 0 || reference.Path[0].Member is null || reference.Path[0].Member == member));

    /// <exception cref="TemplateRenderException">An expression in it ended in an error.</exception>
    public string Render(NodeCall call, JsonElement item) =>
        _template.Render(new OverlayBindings(call.Bindings) { ["item"] = CelValue.FromJson(item), ["index"] = CelValue.From((item.Integer("number") ?? 1) - 1) });
}

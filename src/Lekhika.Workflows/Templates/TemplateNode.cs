using System.Text.Json;
using Lekhika.Workflows.Expressions;

namespace Lekhika.Workflows.Templates;

/// <summary>A compiled part of a configuration.</summary>
internal abstract class TemplateNode
{
    public abstract void Write(Utf8JsonWriter writer, ICelBindings bindings, CelLimits limits);
}

/// <summary>A part without expressions.</summary>
internal sealed class ConstantTemplate(JsonElement value) : TemplateNode
{
    public override void Write(Utf8JsonWriter writer, ICelBindings bindings, CelLimits limits) => JsonText.Write(writer, value);
}

internal sealed class StringTemplate(TextTemplate text, string path) : TemplateNode
{
    public override void Write(Utf8JsonWriter writer, ICelBindings bindings, CelLimits limits)
    {
        var value = text.Evaluate(bindings, limits);
        var written = writer.BytesCommitted + writer.BytesPending;
        if (written + value.Weight > limits.MaxSize)
            throw new TemplateRenderException(path, text.Text, new CelBudgetException($"the rendered configuration is larger than the limit of {limits.MaxSize} characters"));
        value.WriteTo(writer);
    }
}

internal sealed class ArrayTemplate(TemplateNode[] items) : TemplateNode
{
    public override void Write(Utf8JsonWriter writer, ICelBindings bindings, CelLimits limits)
    {
        writer.WriteStartArray();
        foreach (var item in items)
            item.Write(writer, bindings, limits);
        writer.WriteEndArray();
    }
}

internal sealed class ObjectTemplate((string Name, TemplateNode Value)[] members) : TemplateNode
{
    public override void Write(Utf8JsonWriter writer, ICelBindings bindings, CelLimits limits)
    {
        writer.WriteStartObject();
        foreach (var (name, value) in members)
        {
            writer.WritePropertyName(name);
            value.Write(writer, bindings, limits);
        }

        writer.WriteEndObject();
    }
}

using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using Lekhika.Workflows.Expressions;
using Lekhika.Workflows.Validation;

namespace Lekhika.Workflows.Templates;

// Templates: CEL in {{ }} anywhere in the strings of a configuration. A configuration is compiled once into a tree that keeps what is
// constant as JSON; rendering writes it out anew with the expressions' values. Property names are never rendered. A string that is exactly
// one {{ }} becomes the value itself, with its type; any other string stays a string.

/// <summary>A free name that a template uses, and where.</summary>
/// <param name="Path">Path of the string in the configuration, such as <c>config.headers["X-Key"]</c>.</param>
/// <param name="Reference">What is referred to.</param>
public sealed record TemplateReference(string Path, CelReference Reference);

/// <summary>The compiled templates of a configuration. Immutable and safe to render on many threads at once.</summary>
public sealed class ConfigTemplate
{
    private readonly JsonElement _config;
    private readonly TemplateNode _root;

    private ConfigTemplate(JsonElement config, TemplateNode root, IReadOnlyList<TemplateReference> references)
    {
        _config = config;
        _root = root;
        References = references;
    }

    /// <summary>Whether there is nothing to render.</summary>
    public bool IsConstant => _root is ConstantTemplate;

    /// <summary>The free names of all expressions, in order.</summary>
    public IReadOnlyList<TemplateReference> References { get; }

    /// <summary>Compiles the templates of a configuration.</summary>
    /// <param name="config">The configuration; it is copied if its document could be disposed.</param>
    /// <param name="path">What paths in messages start with.</param>
    /// <param name="leaveRaw">Tells which top-level properties are taken as they are, such as <c>expression</c>; null for none.</param>
    /// <exception cref="TemplateException">Some expressions do not parse; it lists them all.</exception>
    public static ConfigTemplate Compile(JsonElement config, string path = "config", Func<string, bool>? leaveRaw = null) =>
        TryCompile(config, out var template, out var problems, path, leaveRaw) ? template : throw new TemplateException(problems);

    /// <summary>Compiles the templates of a configuration without throwing.</summary>
    /// <param name="config">The configuration; it is copied if its document could be disposed.</param>
    /// <param name="template">The template, or null.</param>
    /// <param name="problems">All that is wrong; empty on success.</param>
    /// <param name="path">What paths in messages start with.</param>
    /// <param name="leaveRaw">Tells which top-level properties are taken as they are; null for none.</param>
    /// <param name="scanned">What was scanned when the same definition was checked; null scans anew.</param>
    public static bool TryCompile(
        JsonElement config,
        [NotNullWhen(true)] out ConfigTemplate? template,
        out IReadOnlyList<Problem> problems,
        string path = "config",
        Func<string, bool>? leaveRaw = null,
        ScannedTemplates? scanned = null)
    {
        var owned = config.ValueKind == JsonValueKind.Undefined ? CelValue.Null.ToJson() : config.Clone();
        var compiler = new Compiler(scanned);
        var root = compiler.Compile(owned, path, leaveRaw) ?? new ConstantTemplate(owned);
        problems = compiler.Problems;
        template = problems.Count == 0 ? new ConfigTemplate(owned, root, compiler.References) : null;
        return template is not null;
    }

    /// <summary>Renders the configuration.</summary>
    /// <param name="bindings">The names that expressions see.</param>
    /// <param name="limits">What each expression may cost; <see cref="CelLimits.MaxSize"/> holds for the whole too. Null for the defaults.</param>
    /// <returns>JSON that owns its memory.</returns>
    /// <exception cref="TemplateRenderException">An expression ended in an error.</exception>
    public JsonElement Render(ICelBindings bindings, CelLimits? limits = null)
    {
        if (IsConstant)
            return _config;
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, JsonText.WriterOptions))
            _root.Write(writer, bindings, limits ?? CelLimits.Default);
        return JsonText.Parse(buffer.WrittenSpan);
    }

    private sealed class Compiler(ScannedTemplates? scanned)
    {
        public List<Problem> Problems { get; } = [];

        public List<TemplateReference> References { get; } = [];

        /// <summary>Gives null for what has no expressions, which is then kept as it is.</summary>
        public TemplateNode? Compile(JsonElement value, string path, Func<string, bool>? leaveRaw = null)
        {
            switch (value.ValueKind)
            {
                case JsonValueKind.Object:
                    var members = new List<(string Name, TemplateNode? Node, JsonElement Value)>();
                    foreach (var property in value.EnumerateObject())
                    {
                        var name = JsonText.NameOf(property);
                        var raw = leaveRaw is not null && leaveRaw(name);
                        members.Add((name, raw ? null : Compile(property.Value, Member(path, name)), property.Value));
                    }

                    return members.Exists(static member => member.Node is not null)
                        ? new ObjectTemplate([.. members.Select(static member => (member.Name, member.Node ?? new ConstantTemplate(member.Value)))])
                        : null;
                case JsonValueKind.Array:
                    var items = value.EnumerateArray().ToArray();
                    var nodes = new TemplateNode?[items.Length];
                    for (var i = 0; i < items.Length; i++)
                        nodes[i] = Compile(items[i], string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"));
                    return Array.Exists(nodes, static node => node is not null)
                        ? new ArrayTemplate([.. nodes.Select((node, i) => node ?? new ConstantTemplate(items[i]))])
                        : null;
                case JsonValueKind.String:
                    return Text(JsonText.StringOf(value), path);
                default:
                    return null;
            }
        }

        private static string Member(string path, string name) => Identifiers.IsIdentifier(name)
            ? (path.Length == 0 ? name : $"{path}.{name}")
            : $"{path}[\"{JsonEncodedText.Encode(name, JsonText.Relaxed)}\"]";

        private StringTemplate? Text(string text, string path)
        {
            if (!text.Contains("{{", StringComparison.Ordinal) || TextTemplate.Compile(text, path, Problems, scanned) is not { } template)
                return null;
            foreach (var reference in template.References)
                References.Add(new(path, reference));
            return new StringTemplate(template, path);
        }
    }
}

using System.Text;
using Lekhika.Workflows.Expressions;
using Lekhika.Workflows.Validation;

namespace Lekhika.Workflows.Templates;

/// <summary>
/// A text with CEL expressions in <c>{{ }}</c>. A text that is exactly one expression keeps the type of its value; in any other, values
/// are shown as <see cref="CelValue.ToText"/> has it. Immutable and safe to render on many threads at once.
/// </summary>
public sealed class TextTemplate
{
    private readonly TemplatePart[] _parts;
    private readonly string _path;

    private TextTemplate(string text, string path, IReadOnlyList<TemplatePart> parts)
    {
        Text = text;
        _path = path;
        _parts = [.. parts];
        References = [.. parts.SelectMany(static part => part.Expression?.References ?? [])];
    }

    /// <summary>The text that was compiled.</summary>
    public string Text { get; }

    /// <summary>Whether there is no expression in it.</summary>
    public bool IsConstant => Array.TrueForAll(_parts, static part => part.Expression is null);

    /// <summary>Whether it is exactly one expression, whose value keeps its type.</summary>
    public bool IsExpression => _parts is [{ Expression: not null }];

    /// <summary>The free names of all its expressions. Their places are within each expression.</summary>
    public IReadOnlyList<CelReference> References { get; }

    /// <summary>Compiles a text.</summary>
    /// <param name="text">The text. Braces that are meant as such are written <c>{{ "{{" }}</c>.</param>
    /// <param name="path">Where it stands, for messages.</param>
    /// <exception cref="TemplateException">It holds an expression that does not parse or end.</exception>
    public static TextTemplate Compile(string text, string path = "")
    {
        var problems = new List<Problem>();
        return Compile(text, path, problems) ?? throw new TemplateException(problems);
    }

    /// <summary>Compiles a text; adds what is wrong to <paramref name="problems"/> and then gives null.</summary>
    internal static TextTemplate? Compile(string text, string path, List<Problem> problems, ScannedTemplates? scanned = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        var (parts, errors) = ScannedTemplates.Scan(text, scanned);
        foreach (var error in errors)
            problems.Add(new Problem(Severity.Error, TemplateException.ProblemCode, path, error.Message));
        return errors.Count == 0 ? new TextTemplate(text, path, parts) : null;
    }

    /// <summary>Renders to a text, also if it is exactly one expression.</summary>
    /// <param name="bindings">The names that expressions see.</param>
    /// <param name="limits">What each expression may cost; <see cref="CelLimits.MaxSize"/> holds for the whole text too.</param>
    /// <exception cref="TemplateRenderException">An expression ended in an error.</exception>
    public string Render(ICelBindings bindings, CelLimits? limits = null)
    {
        if (IsConstant)
            return Text;
        if (IsExpression)
            return Evaluate(_parts[0], bindings, limits).ToText();
        var maxSize = (limits ?? CelLimits.Default).MaxSize;
        var rendered = new StringBuilder(Text.Length);
        foreach (var part in _parts)
        {
            rendered.Append(part.Expression is null ? part.Text : Evaluate(part, bindings, limits).ToText());
            if (rendered.Length > maxSize)
                throw new TemplateRenderException(_path, part.Text, new CelBudgetException($"the rendered text is longer than the limit of {maxSize} characters"));
        }

        return rendered.ToString();
    }

    /// <summary>Renders to a value: of the expression's own type if it is exactly one, else a string.</summary>
    /// <inheritdoc cref="Render"/>
    public CelValue Evaluate(ICelBindings bindings, CelLimits? limits = null) =>
        IsExpression ? Evaluate(_parts[0], bindings, limits) : CelValue.From(Render(bindings, limits));

    private CelValue Evaluate(in TemplatePart part, ICelBindings bindings, CelLimits? limits)
    {
        try
        {
            return part.Expression!.Evaluate(bindings, limits);
        }
        catch (CelEvaluationException error)
        {
            throw new TemplateRenderException(_path, part.Text, error);
        }
    }
}

using Lekhika.Workflows.Expressions;

namespace Lekhika.Workflows.Templates;

/// <summary>
/// What has been cut out of the templates of one definition: each is looked at when it is checked and again when it is compiled to be run. Lives as long
/// as the definition is being compiled. Not thread-safe.
/// </summary>
public sealed class ScannedTemplates
{
    private readonly Dictionary<string, ScannedTemplate> _known = new(StringComparer.Ordinal);

    /// <summary>Scans a text, unless that was done before.</summary>
    internal static ScannedTemplate Scan(string text, ScannedTemplates? known)
    {
        if (known is null) return new TemplateScanner(text).Scan();
        if (!known._known.TryGetValue(text, out var scanned)) known._known.Add(text, scanned = new TemplateScanner(text).Scan());
        return scanned;
    }
}

/// <summary>A text that was cut at its <c>{{ }}</c>.</summary>
/// <param name="Parts">Its pieces in order; those that do not compile are left out.</param>
/// <param name="Errors">Why they do not.</param>
internal sealed record ScannedTemplate(IReadOnlyList<TemplatePart> Parts, IReadOnlyList<CelSyntaxException> Errors);

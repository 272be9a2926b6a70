using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Validation;

namespace Lekhika.Workflows.Dialects;

/// <summary>The config of one node on its way into the canonical form: reads of the author's fields, translated as they are taken.</summary>
internal sealed class Translation(DraftNode node, LegacyExpressions expressions, ModelNames models, ProblemList problems, LegacyExpressions? careful = null)
{
    public DraftNode Node => node;

    public ProblemList Problems => problems;

    public string PlaceOf(string field) => JsonPath.Key(node.ConfigPath, field);

    /// <summary>Whether the author gave the field something.</summary>
    public bool Has(string field) =>
        node.Source.TryGet(field, out var value)
        && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined)
        && !(value.ValueKind == JsonValueKind.String && string.IsNullOrWhiteSpace(value.GetString()));

    /// <summary>The first of the fields that the author gave something, or the first.</summary>
    public string Given(params ReadOnlySpan<string> fields)
    {
        foreach (var field in fields)
        {
            if (Has(field)) return field;
        }

        return fields[0];
    }

    public JsonElement Raw(string field) => Has(field) && node.Source.TryGet(field, out var value) ? value : default;

    public string? Text(string field) => Has(field) ? Raw(field).Scalar() : null;

    /// <summary>Copies fields, templates translated: pairs of canonical and author's name.</summary>
    public Translation Copy(params ReadOnlySpan<(string Field, string Author)> fields)
    {
        foreach (var (field, author) in fields)
        {
            if (Has(author) && !node.Config.ContainsKey(field)) node.Set(field, Translated(Raw(author)), author);
        }

        return this;
    }

    /// <summary>A whole number from a number, or from text that holds one.</summary>
    public Translation Number(string field, string author)
    {
        if (!Has(author)) return this;
        var value = Raw(author);
        if (value.ValueKind == JsonValueKind.String
            && double.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && double.IsFinite(number))
        {
            var whole = Math.Floor(number) == number && Math.Abs(number) < 1e15;
            node.Set(field, whole ? JsonValue.Create((long)number) : JsonValue.Create(number), author);
            return this;
        }

        return Copy((field, author));
    }

    /// <summary>A duration from a number in the given unit; text is taken as it is.</summary>
    public Translation Duration(string field, string author, double milliseconds)
    {
        if (DurationOf(author, milliseconds) is { } duration) node.Set(field, DurationText.Write(duration), author);
        else Copy((field, author));
        return this;
    }

    public TimeSpan? DurationOf(string author, double milliseconds)
    {
        if (!Has(author)) return null;
        var text = Text(author);
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            return number >= 0 && number * milliseconds < 3e12 ? TimeSpan.FromMilliseconds((long)(number * milliseconds)) : null;
        return DurationText.TryParse(text, out var duration) ? duration : null;
    }

    /// <summary>A condition of the author's, as CEL.</summary>
    public Translation Condition(string field, string author) => Translate(field, author, text => (careful ?? expressions).Truth(text) ?? expressions.Expression(text));

    /// <summary>Any other expression of the author's, as CEL.</summary>
    public Translation Expression(string field, string author) => Translate(field, author, expressions.Expression);

    /// <summary>What a path of the author's leads to, or null where it does not lead that far, as CEL; null if it is no path.</summary>
    public string? PathOrNull(string path) => (careful ?? expressions).PathOrNull(path);

    private Translation Translate(string field, string author, Func<string, string> cel)
    {
        if (!Has(author)) return this;
        var value = Raw(author);
        if (value.Scalar() is { } text) node.Set(field, cel(text), author);
        else problems.Error("wrong_type", PlaceOf(author), $"\"{author}\" must be an expression in a string, but it is {value.Describe()}");
        return this;
    }

    public string Expression(string text) => expressions.Expression(text);

    public string Template(string text) => expressions.Template(text);

    /// <summary>A list: one that is written out, one in a JSON text, or a template or path that leads to one.</summary>
    public Translation List(string field, string author)
    {
        if (!Has(author)) return this;
        var value = Parsed(author);
        if (value.ValueKind != JsonValueKind.String) return SetTranslated(field, value, author);
        var text = value.GetString()!;
        node.Set(field, text.Contains("{{", StringComparison.Ordinal) ? Template(text) : $"{{{{ {Expression(text)} }}}}", author);
        return this;
    }

    /// <summary>The value of a field that may hold JSON in a text, as the editors' JSON fields do.</summary>
    public JsonElement Parsed(string field) => JsonReading.Parsed(Raw(field));

    /// <summary>An object or list from a JSON field, templates translated.</summary>
    public Translation Json(string field, string author) => Has(author) ? SetTranslated(field, Parsed(author), author) : this;

    public Translation Model(string author = "model")
    {
        if (models.Resolve(Text(author), PlaceOf(author)) is { } model) node.Set("model", Template(model), author);
        return this;
    }

    /// <summary>The author's config as it is, templates translated: for endpoints that know its names themselves.</summary>
    public Translation Everything()
    {
        node.Config = Translated(node.Source) as JsonObject ?? [];
        node.KeepsNames = true;
        return this;
    }

    /// <summary>A copy of a value with the templates in it translated.</summary>
    public JsonNode? Translated(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => JsonValue.Create(Template(value.GetString()!)),
        JsonValueKind.Array => new JsonArray([.. value.EnumerateArray().Select(Translated)]),
        JsonValueKind.Object => TranslatedObject(value),
        _ => value.ToNode(),
    };

    private JsonObject TranslatedObject(JsonElement value)
    {
        var map = new JsonObject();
        foreach (var property in value.EnumerateObject()) map[property.Name] = Translated(property.Value);
        return map;
    }

    private Translation SetTranslated(string field, JsonElement value, string author)
    {
        node.Set(field, Translated(value), author);
        return this;
    }
}

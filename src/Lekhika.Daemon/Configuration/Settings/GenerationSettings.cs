namespace Lekhika.Daemon.Configuration;

internal static class GenerationSettings
{
    public static readonly Setting<bool> Enabled = new("generation", "enabled", SettingTypes.Boolean)
    {
        Description = "Whether prompts are made into workflows; otherwise generation jobs fail, and say so.",
        Default = "true",
        IsReloadable = true,
    };

    public static readonly Setting<string> AnalyzeModel = new("generation", "analyze_model", SettingTypes.Text)
    {
        Description = "Model that analyzes the prompt.",
        Default = "mistral:7b",
        IsReloadable = true,
    };

    public static readonly Setting<string> GenerateModel = new("generation", "generate_model", SettingTypes.Text)
    {
        Description = "Model that writes the workflow.",
        Default = "qwen2.5:7b",
        IsReloadable = true,
    };

    public static readonly Setting<string> Catalogue = new("generation", "catalogue", SettingTypes.FilePath)
    {
        Description = "Catalogue of another editor's node types to generate for, instead of this daemon's own.",
        DefaultNote = "the built-in node types",
        IsReloadable = true,
    };

    public static readonly Setting<int> MaxRetries = new("generation", "max_retries", SettingTypes.Integer(0, 20))
    {
        Description = "How often the model is asked again, with the errors, when a job does not say.",
        Default = "3",
        IsReloadable = true,
    };

    public static readonly Setting<int> ContextTokens = new("generation", "context_tokens", SettingTypes.Integer(2048, 1_048_576))
    {
        Description = "Context window of both models, in tokens.",
        Default = "16384",
        IsReloadable = true,
    };

    public static readonly Setting<int> MaxTokens = new("generation", "max_tokens", SettingTypes.Integer(256, 262_144))
    {
        Description = "Most tokens of one draft.",
        Default = "4096",
        IsReloadable = true,
    };

    public static readonly SettingSection Section = new("generation", "Workflows made from prompts.",
        [Enabled, AnalyzeModel, GenerateModel, Catalogue, MaxRetries, ContextTokens, MaxTokens]);
}

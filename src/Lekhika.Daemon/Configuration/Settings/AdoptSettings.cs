namespace Lekhika.Daemon.Configuration;

internal static class AdoptSettings
{
    public static readonly Setting<bool> Lekhika = new("adopt", "lekhika", SettingTypes.Boolean)
    {
        Description = "Whether the lekhikaApiKey of POST /execute is checked against the Lekhika platform's user_engines, as its own worker did.",
        Default = "false",
    };

    public static readonly Setting<string> LekhikaSchema = new("adopt", "lekhika_schema", SettingTypes.TextOf(
        "a schema name of 1 to 63 lower-case letters, digits and underscores that does not begin with a digit or pg_", DatabaseSettings.IsSchemaName))
    {
        Description = "Schema of that platform's tables.",
        Default = "public",
    };

    public static readonly Setting<bool> AllowApiKeyControl = new("adopt", "allow_api_key_control", SettingTypes.Boolean)
    {
        Description = "Whether POST /stop/{id} and POST /resume are served with the key of an account in X-Lekhika-API-Key instead of the internal secret, "
            + "for executions of that key's user. Needs lekhika.",
        Default = "false",
    };

    public static readonly SettingSection Section = new(
        "adopt", "The earlier platforms. Their tables are adopted by running the scripts in packaging/adopt; see adopt.md.",
        [Lekhika, LekhikaSchema, AllowApiKeyControl]);
}

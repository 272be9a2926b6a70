namespace Lekhika.Daemon.Configuration;

internal static class DatabaseSettings
{
    public static readonly Setting<PostgresTarget> Url = new("database", "url", PostgresTarget.Type)
    {
        Description = "Where PostgreSQL is: a postgres:// URL (percent-encoding, sslmode, options, application_name … as in libpq) or an Npgsql keyword string. "
            + "The keys below fill in what it leaves out.",
        Sensitivity = Sensitivity.MayHoldSecret,
        CredentialName = "database-url",
        OlderNames = ["SUPABASE_DB_URL", "DATABASE_URL"],
    };

    public static readonly Setting<string> Host = new("database", "host", SettingTypes.Text)
    {
        Description = "Host name, address, or folder of the Unix socket (/var/run/postgresql).",
        DefaultNote = "localhost",
    };

    public static readonly Setting<int> Port = new("database", "port", SettingTypes.Integer(1, 65535))
    {
        Description = "Port of the server.",
        DefaultNote = "5432",
    };

    public static readonly Setting<string> Name = new("database", "name", SettingTypes.Text)
    {
        Description = "Name of the database.",
        DefaultNote = "lekhika",
    };

    public static readonly Setting<string> User = new("database", "user", SettingTypes.Text)
    {
        Description = "Role to connect as: the schema's owner, or one with BYPASSRLS.",
        DefaultNote = "the operating system's user",
    };

    public static readonly Setting<string> PasswordFile = new("database", "password_file", SettingTypes.FilePath)
    {
        Description = "File that holds the password; its last newline is dropped.",
    };

    public static readonly Setting<Secret> Password = new("database", "password", SettingTypes.SecretText)
    {
        Description = "Password of the role. Better as a credential or in password_file.",
        Sensitivity = Sensitivity.Secret,
        CredentialName = "database-password",
        FileSetting = PasswordFile,
    };

    public static readonly Setting<string> Schema = new("database", "schema", SettingTypes.TextOf(
        "a schema name of 1 to 63 lower-case letters, digits and underscores that does not begin with a digit or pg_", IsSchemaName))
    {
        Description = "Schema of the daemon's tables; public for a Supabase project.",
        Default = "lekhika",
    };

    public static readonly Setting<int> PoolSize = new("database", "pool_size", SettingTypes.Integer(2, 1000))
    {
        Description = "Most connections open at once.",
        Default = "10",
    };

    public static readonly Setting<ListenMode> Listen = new("database", "listen", SettingTypes.Choice(
        ("auto", ListenMode.Auto), ("on", ListenMode.On), ("off", ListenMode.Off)))
    {
        Description = "Whether to be woken by LISTEN/NOTIFY. off polls only, as PgBouncer in transaction mode needs; auto finds out.",
        Default = "auto",
    };

    public static readonly Setting<string> CompletionHook = new("database", "completion_hook", SettingTypes.TextOf(
        "schema.function, both of letters, digits and underscores", IsFunctionName))
    {
        Description = "SQL function that is called with (execution id uuid, status text, tokens bigint, words bigint) in the transaction that records a final state. "
            + "The same for all daemons on one database.",
        DefaultNote = "none is called",
    };

    public static readonly SettingSection Section = new("database", "The PostgreSQL database that holds everything.",
        [Url, Host, Port, Name, User, Password, PasswordFile, Schema, PoolSize, Listen, CompletionHook]);

    private static bool IsFunctionName(string name) =>
        name.Split('.') is [var schema, var function] && IsPlainName(schema) && IsPlainName(function);

    private static bool IsPlainName(string name) =>
        name.Length is > 0 and <= 63
        && !char.IsAsciiDigit(name[0])
        && name.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character == '_');

    internal static bool IsSchemaName(string name) =>
        name.Length is > 0 and <= 63
        && !char.IsAsciiDigit(name[0])
        && !name.StartsWith("pg_", StringComparison.Ordinal)
        && name.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character == '_');
}

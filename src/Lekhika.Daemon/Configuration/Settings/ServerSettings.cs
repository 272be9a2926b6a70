using Microsoft.Extensions.Logging;

namespace Lekhika.Daemon.Configuration;

internal static class ServerSettings
{
    public static readonly Setting<System.Collections.Immutable.ImmutableArray<ListenUrl>> Url = new("server", "url", SettingTypes.ListenUrls)
    {
        Description = "Addresses to listen on, separated by commas; * stands for every address; none leaves only the socket.",
        Default = "http://127.0.0.1:3001",
        OlderNames = [new("PORT", "a port number n means http://127.0.0.1:n", port => $"http://127.0.0.1:{port}")],
    };

    public static readonly Setting<string> Socket = new("server", "socket", SettingTypes.FilePath)
    {
        Description = "Unix socket to listen on as well.",
    };

    public static readonly Setting<Uri> AdvertisedUrl = new("server", "advertised_url", SettingTypes.HttpUrl)
    {
        Description = "URL under which other daemons on the same database reach this one, to pass on /status and /stop.",
        DefaultNote = "the first address of server.url",
        Sensitivity = Sensitivity.MayHoldSecret,
    };

    public static readonly Setting<long> BodyLimit = new("server", "body_limit", SettingTypes.Size("1KB", "1GB"))
    {
        Description = "Largest request body accepted; more is a 413.",
        Default = "50MB",
    };

    public static readonly Setting<LogLevel> LogLevel = new("server", "log_level", SettingTypes.Choice(
        ("trace", Microsoft.Extensions.Logging.LogLevel.Trace),
        ("debug", Microsoft.Extensions.Logging.LogLevel.Debug),
        ("info", Microsoft.Extensions.Logging.LogLevel.Information),
        ("warning", Microsoft.Extensions.Logging.LogLevel.Warning),
        ("error", Microsoft.Extensions.Logging.LogLevel.Error),
        ("critical", Microsoft.Extensions.Logging.LogLevel.Critical),
        ("none", Microsoft.Extensions.Logging.LogLevel.None)))
    {
        Description = "Least severe level that is logged.",
        Default = "info",
        IsReloadable = true,
        OlderNames = [new("LEKHIKA_LOG_LEVEL", "a shorter name for the same")],
    };

    public static readonly SettingSection Section = new("server", "The HTTP server.", [Url, Socket, AdvertisedUrl, BodyLimit, LogLevel]);
}

internal static class AuthSettings
{
    public static readonly Setting<string> InternalSecretFile = new("auth", "internal_secret_file", SettingTypes.FilePath)
    {
        Description = "File that holds the secret; its last newline is dropped.",
    };

    public static readonly Setting<Secret> InternalSecret = new("auth", "internal_secret", SettingTypes.SecretText)
    {
        Description = "What clients must send in X-Internal-Auth; 16 characters or more. `openssl rand -hex 32` makes one.",
        Sensitivity = Sensitivity.Secret,
        CredentialName = "internal-secret",
        FileSetting = InternalSecretFile,
        OlderNames = ["INTERNAL_API_SECRET"],
    };

    public static readonly Setting<string> ViewerSecretFile = new("auth", "viewer_secret_file", SettingTypes.FilePath)
    {
        Description = "File that holds the viewer's secret; its last newline is dropped.",
    };

    public static readonly Setting<Secret> ViewerSecret = new("auth", "viewer_secret", SettingTypes.SecretText)
    {
        Description = "A second secret, for people and programs that may read but not act; in X-Internal-Auth or at the dashboard.",
        Sensitivity = Sensitivity.Secret,
        CredentialName = "viewer-secret",
        FileSetting = ViewerSecretFile,
    };

    public static readonly Setting<bool> AllowInsecureLoopback = new("auth", "allow_insecure_loopback", SettingTypes.Boolean)
    {
        Description = "Lets the daemon start without a secret, provided it listens on loopback addresses and Unix sockets only.",
        Default = "false",
    };

    public static readonly SettingSection Section = new("auth", "Who may use the HTTP server.",
        [InternalSecret, InternalSecretFile, ViewerSecret, ViewerSecretFile, AllowInsecureLoopback]);
}

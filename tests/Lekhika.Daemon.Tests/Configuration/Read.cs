using System.Collections.Immutable;
using Lekhika.Daemon.Configuration;

namespace Lekhika.Daemon.Tests.Configuration;

/// <summary>Reads a configuration from sources made up by a test.</summary>
internal static class Read
{
    public const string Minimal = "[database]\nurl = postgres://localhost/lekhika\n[auth]\ninternal_secret = 0123456789abcdef\n";

    public static ConfigurationSources Sources(string? file = Minimal, string[]? flags = null, (string Name, string Value)[]? environment = null) => new()
    {
        File = file is null ? null : new ConfigurationFile("/etc/daemon.conf", file),
        Flags = SettingFlag.Extract(flags ?? []).Flags,
        Environment = (environment ?? []).ToDictionary(variable => variable.Name, variable => variable.Value, StringComparer.Ordinal),
        HostName = "vps1",
    };

    public static ConfigurationResult From(string? file = Minimal, string[]? flags = null, params (string Name, string Value)[] environment) =>
        ConfigurationReader.Read(Sources(file, flags, environment));

    public static DaemonOptions Options(string? file = Minimal, string[]? flags = null, params (string Name, string Value)[] environment)
    {
        var result = From(file, flags, environment);
        Xunit.Assert.Empty(result.Errors);
        return result.Options!;
    }

    public static ImmutableArray<string> Errors(string? file = Minimal, string[]? flags = null, params (string Name, string Value)[] environment) =>
        [.. From(file, flags, environment).Errors.Select(error => error.ToString())];

    public static ImmutableArray<string> Warnings(string? file = Minimal, string[]? flags = null, params (string Name, string Value)[] environment) =>
        [.. From(file, flags, environment).Warnings.Select(warning => warning.ToString())];
}

using System.Collections;
using System.Collections.Immutable;
using System.Text;

namespace Lekhika.Daemon.Configuration;

/// <summary>Gathers the sources of this process: its file, environment, credentials and host name.</summary>
internal static class ProcessSources
{
    private const int LargestFile = 1 << 20;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <param name="configPath">The value of <c>--config</c>; null when it was not given.</param>
    /// <param name="flags">The settings given as flags.</param>
    public static ConfigurationSources Gather(string? configPath, ImmutableArray<SettingFlag> flags)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            environment[(string)variable.Key] = (string?)variable.Value ?? "";
        }

        return Gather(configPath, flags, environment);
    }

    /// <inheritdoc cref="Gather(string?, ImmutableArray{SettingFlag})"/>
    public static ConfigurationSources Gather(string? configPath, ImmutableArray<SettingFlag> flags, IReadOnlyDictionary<string, string> environment)
    {
        var sources = new ConfigurationSources
        {
            Environment = environment,
            Flags = flags,
            HostName = HostName(),
            ReadFile = path => ReadText(path),
        };
        var file = ReadConfiguration(configPath ?? sources.Variable("LEKHIKA_CONFIG"));
        var (credentials, unreadable) = ReadCredentials(sources.Variable("CREDENTIALS_DIRECTORY") ?? FolderBeside(file));
        return sources with
        {
            File = file,
            Credentials = credentials,
            UnreadableCredentials = unreadable,
        };
    }

    private static ConfigurationFile ReadConfiguration(string? named)
    {
        var path = named ?? ConfigurationSources.DefaultPath;
        try
        {
            var text = ReadText(path);
            var open = !OperatingSystem.IsWindows() && File.GetUnixFileMode(path).HasFlag(UnixFileMode.OtherRead);
            return new(path, text, IsReadableByOthers: open);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return new(path, null, named is null ? null : "the file does not exist; make it, or name another with --config");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return new(path, null, Directory.Exists(path) ? "this is a folder, not a file" : $"the file cannot be read: {error.Message}");
        }
    }

    // Where systemd's LoadCredential= takes them from: so what an operator runs by hand works with the same secrets as the unit.
    private static string? FolderBeside(ConfigurationFile file)
    {
        var folder = file.Text is null ? null : Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file.Path)) ?? "/", "credentials");
        return Directory.Exists(folder) ? folder : null;
    }

    private static (Dictionary<string, string> Texts, ImmutableArray<(string Name, string Problem)> Unreadable) ReadCredentials(string? directory)
    {
        var credentials = new Dictionary<string, string>(StringComparer.Ordinal);
        var unreadable = ImmutableArray.CreateBuilder<(string, string)>();

        // Only the names the table knows, and secrets: other files of the folder are none of our business.
        var names = directory is null ? [] : SettingTable.All.Select(setting => setting.CredentialName).OfType<string>().Concat(SecretFiles(directory));
        foreach (var name in names)
        {
            var path = Path.Combine(directory!, name);
            try
            {
                if (File.Exists(path))
                {
                    credentials[name] = ReadText(path);
                }
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                unreadable.Add((name, error.Message));
            }
        }

        return (credentials, unreadable.ToImmutable());
    }

    private static IEnumerable<string> SecretFiles(string directory)
    {
        try
        {
            return [.. Directory.EnumerateFiles(directory, SecretSettings.CredentialPrefix + "*").Select(static path => Path.GetFileName(path))];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return []; // as with the others: what is not there for this user sets nothing
        }
    }

    private static string ReadText(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[LargestFile + 1];
        var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        if (length > LargestFile)
        {
            throw new IOException("it is larger than 1 MB");
        }

        try
        {
            return StrictUtf8.GetString(bytes.AsSpan(0, length));
        }
        catch (DecoderFallbackException error)
        {
            throw new IOException("it is not UTF-8 text", error);
        }
    }

    // Host names may hold anything; worker.id may not.
    private static string HostName()
    {
        var name = new string([.. Environment.MachineName.Where(character => !char.IsWhiteSpace(character) && !char.IsControl(character))]);
        return name.Length == 0 ? "localhost" : name[..Math.Min(name.Length, 100)];
    }
}

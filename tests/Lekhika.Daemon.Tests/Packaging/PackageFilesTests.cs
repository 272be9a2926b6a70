using System.Globalization;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Tests.Configuration;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.Packaging;

/// <summary>What the package's files say twice, or about the daemon, is the same everywhere.</summary>
public sealed class PackageFilesTests
{
    private static string Text(params string[] path) => File.ReadAllText(Path.Combine([DaemonBinary.RepositoryRoot(), .. path]));

    [Fact]
    public void The_template_unit_is_the_unit_but_for_its_names()
    {
        var unit = Text("systemd", "lekhika-daemon.service")
            .Replace("Lekhika Daemon:", "Lekhika Daemon %i:", StringComparison.Ordinal)
            .Replace("/daemon.conf", "/%i.conf", StringComparison.Ordinal)
            .Replace("StateDirectory=lekhika-daemon", "StateDirectory=lekhika-daemon/%i", StringComparison.Ordinal)
            .Replace("RuntimeDirectory=lekhika-daemon", "RuntimeDirectory=lekhika-daemon-%i", StringComparison.Ordinal)
            .Replace("WorkingDirectory=/var/lib/lekhika-daemon", "WorkingDirectory=/var/lib/lekhika-daemon/%i", StringComparison.Ordinal);
        var template = Text("systemd", "lekhika-daemon@.service");
        Assert.Equal(unit, template[template.IndexOf("[Unit]", StringComparison.Ordinal)..]);
    }

    [Fact]
    public void The_unit_gives_every_credential_there_is_and_stops_later_than_the_drain()
    {
        var unit = Text("systemd", "lekhika-daemon.service");
        foreach (var name in SettingTable.All.Select(static setting => setting.CredentialName).OfType<string>())
        {
            Assert.Contains($"LoadCredential={name}:/etc/lekhika-daemon/credentials/{name}\n", unit, StringComparison.Ordinal);
            Assert.Contains($"SetCredential={name}:", unit, StringComparison.Ordinal);
        }

        var stop = unit.Split('\n').Single(static line => line.StartsWith("TimeoutStopSec=", StringComparison.Ordinal))["TimeoutStopSec=".Length..].TrimEnd('s');
        Assert.True(TimeSpan.FromSeconds(int.Parse(stop, CultureInfo.InvariantCulture)) > Read.Options().Worker.DrainTimeout);
    }

    [Fact]
    public void The_proxy_takes_bodies_as_large_as_the_daemon_does_and_leads_to_its_address()
    {
        var site = Text("packaging", "nginx", "nginx-site");
        var options = Read.Options();
        Assert.Contains($"client_max_body_size {(options.Server.BodyLimit >> 20).ToString(CultureInfo.InvariantCulture)}m;", site, StringComparison.Ordinal);
        Assert.Contains($"server {options.Server.Urls.Single().ToString()["http://".Length..]};", site, StringComparison.Ordinal);
        Assert.Contains($"ListenStream={options.Server.Urls.Single().ToString()["http://".Length..]}", Text("systemd", "lekhika-daemon.socket"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_configuration_in_the_package_lacks_nothing_but_the_database_and_the_secret()
    {
        var file = Text("packaging", "daemon.conf");
        Assert.Equal(["auth.internal_secret", "database.url"], Read.From(file).Errors.Select(static error => error.Key).Order(StringComparer.Ordinal));
        var edited = file.Replace("#url = postgres://lekhika-daemon@/", "url = postgres://lekhika-daemon@/", StringComparison.Ordinal)
            .Replace("#default = ", "default = ", StringComparison.Ordinal);
        var result = Read.From(edited, flags: ["--auth.internal_secret", "0123456789abcdef"]);
        Assert.Empty(result.Errors);
        Assert.Contains("Host=/var/run/postgresql", result.Options!.Database.ConnectionString.Reveal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Credentials_beside_the_configuration_file_are_read_where_systemd_gives_none()
    {
        var folder = Directory.CreateTempSubdirectory("lekhika-credentials-");
        try
        {
            var file = Path.Combine(folder.FullName, "daemon.conf");
            File.WriteAllText(file, "[database]\nurl = postgres://localhost/lekhika\n");
            Directory.CreateDirectory(Path.Combine(folder.FullName, "credentials"));
            File.WriteAllText(Path.Combine(folder.FullName, "credentials", "internal-secret"), "0123456789abcdef\n");
            var none = new Dictionary<string, string>(StringComparer.Ordinal);
            var result = ConfigurationReader.Read(ProcessSources.Gather(file, [], none));
            Assert.Equal("0123456789abcdef", result.Options?.Auth.InternalSecret?.Reveal());

            // systemd's, where it gives some, are the only ones.
            var given = new Dictionary<string, string>(StringComparer.Ordinal) { ["CREDENTIALS_DIRECTORY"] = folder.FullName };
            Assert.Null(ConfigurationReader.Read(ProcessSources.Gather(file, [], given)).Options);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}

using Lekhika.Daemon.Configuration;
using Xunit;

namespace Lekhika.Daemon.Tests.Configuration;

public sealed class SettingTableTests
{
    [Fact]
    public async Task The_document_says_what_the_table_says()
    {
        var path = Path.Combine(RepositoryFiles.Root, "docs", "configuration.md");
        var rendered = SettingDocument.Render();
        if (Environment.GetEnvironmentVariable("UPDATE_DOCS") == "1")
        {
            await File.WriteAllTextAsync(path, rendered, TestContext.Current.CancellationToken);
        }

        Assert.Equal(rendered, await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken), ignoreLineEndingDifferences: true);
    }

    [Fact]
    public void Every_default_is_a_value_its_own_setting_accepts()
    {
        foreach (var setting in SettingTable.All.Where(setting => setting.Default is not null))
        {
            Assert.Null(setting.Read(setting.Default!).Error);
        }
    }

    [Fact]
    public void Names_are_unique_and_in_lower_case()
    {
        Assert.Equal(SettingTable.All.Length, SettingTable.All.Select(setting => setting.EnvironmentName).Distinct(StringComparer.Ordinal).Count());
        Assert.All(SettingTable.All, setting => Assert.Matches("^[a-z]+\\.[a-z_]+$", setting.FullName));
    }

    [Fact]
    public void Every_secret_can_come_from_a_credential_and_from_a_file()
    {
        var secrets = SettingTable.All.Where(setting => setting.Sensitivity == Sensitivity.Secret).ToList();
        Assert.NotEmpty(secrets);
        Assert.All(secrets, setting => Assert.NotNull(setting.CredentialName));
        Assert.All(secrets, setting => Assert.Contains(setting.FileSetting, SettingTable.All));
    }

    [Fact]
    public void Variables_that_mean_nothing_are_not_also_older_names()
    {
        var older = SettingTable.All.SelectMany(setting => setting.OlderNames).Select(name => name.Name);
        Assert.Empty(older.Intersect(OlderVariables.Replacements.Keys, StringComparer.Ordinal));
    }
}

namespace Lekhika.Daemon.Configuration;

/// <summary>Writes the effective configuration in the file's own grammar: origins as comments, secrets masked, what is unset commented out.</summary>
internal static class ConfigurationPrinter
{
    public static void Print(ConfigurationResult result, TextWriter writer)
    {
        var first = true;
        foreach (var section in result.Settings.GroupBy(setting => setting.Setting.Section))
        {
            writer.Write(first ? "" : "\n");
            writer.Write($"[{section.Key}]\n");
            first = false;
            foreach (var setting in section)
            {
                var key = ConfigurationText.Quote(setting.Setting.Name, isKey: true);
                writer.Write(setting.Shown is { } shown
                    ? $"{key} = {ConfigurationText.Quote(shown)}  # {OneLine(setting.Origin.Place)}\n"
                    : $"# {key} =  (not set{(setting.Setting.DefaultNote is { } note ? $": {note}" : "")})\n");
            }
        }
    }

    private static string OneLine(string place) => place.ReplaceLineEndings(" ");
}

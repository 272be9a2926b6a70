using System.Text;
using System.Text.Json;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Doctor;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.Doctor.Support;

/// <summary>What <c>doctor --json</c> said.</summary>
internal sealed class Diagnosis
{
    private readonly JsonElement _report;

    private Diagnosis(int exitCode, string text)
    {
        (ExitCode, Text) = (exitCode, text);
        using var document = JsonDocument.Parse(text);
        _report = document.RootElement.Clone();
    }

    public int ExitCode { get; }

    public string Text { get; }

    /// <summary>Names of the checks that failed.</summary>
    public string[] Failed => [.. Checks.Where(static check => Status(check) == "failed").Select(static check => check.GetProperty("name").GetString()!)];

    private IEnumerable<JsonElement> Checks => _report.GetProperty("checks").EnumerateArray();

    /// <summary>Examines an installation.</summary>
    /// <param name="settings">The configuration: <c>section.key</c> and value.</param>
    /// <param name="change">What is asked.</param>
    /// <param name="time">The machine's clock.</param>
    public static async Task<Diagnosis> OfAsync(
        IReadOnlyDictionary<string, string> settings, Func<DoctorArguments, DoctorArguments>? change = null, TimeProvider? time = null)
    {
        var file = new StringBuilder();
        foreach (var section in settings.GroupBy(static setting => setting.Key.Split('.')[0], StringComparer.Ordinal))
        {
            file.Append('[').Append(section.Key).Append("]\n");
            foreach (var (key, value) in section) file.Append(key.AsSpan(section.Key.Length + 1)).Append(" = ").Append(value).Append('\n');
        }

        var sources = new ConfigurationSources { File = new ConfigurationFile("/tmp/daemon.conf", file.ToString()), HostName = "vps1" };
        var arguments = new DoctorArguments(IsJson: true, Url: null, Run: false, CallerSecret: null);
        await using var output = new StringWriter();
        var code = await Examination.RunAsync(output, sources, change?.Invoke(arguments) ?? arguments, time ?? TimeProvider.System, TestContext.Current.CancellationToken);
        return new Diagnosis(code, output.ToString());
    }

    /// <summary>The same for the daemon that a setup starts.</summary>
    public static Task<Diagnosis> OfAsync(DaemonSetup setup, Func<DoctorArguments, DoctorArguments>? change = null, TimeProvider? time = null) =>
        OfAsync(setup.Settings, change, time);

    public string StatusOf(string name) => Status(Find(name));

    /// <summary>What the check said.</summary>
    public string Message(string name) => Find(name).GetProperty("message").GetString()!;

    /// <summary>That the check failed, what it said, and how to mend it.</summary>
    public void Finds(string name, string message, string fix)
    {
        var check = Checks.FirstOrDefault(check => check.GetProperty("name").GetString() == name && Status(check) == "failed");
        Assert.True(check.ValueKind == JsonValueKind.Object, $"{name} did not fail:\n{Text}");
        Assert.Contains(message, check.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Contains(fix, check.GetProperty("fix").GetString(), StringComparison.Ordinal);
        Assert.NotEqual(0, ExitCode);
    }

    private static string Status(JsonElement check) => check.GetProperty("status").GetString()!;

    private JsonElement Find(string name)
    {
        var check = Checks.FirstOrDefault(check => check.GetProperty("name").GetString() == name);
        Assert.True(check.ValueKind == JsonValueKind.Object, $"no check {name}:\n{Text}");
        return check;
    }
}

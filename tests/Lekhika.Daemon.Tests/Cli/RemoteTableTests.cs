using Lekhika.Daemon.Cli;
using Lekhika.Daemon.Cli.Remote;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Diagnostics;
using Xunit;

namespace Lekhika.Daemon.Tests.Cli;

public sealed class RemoteTableTests
{
    private const string Id = "01a202e8-60a9-7abd-bc73-6755fdb2ebfc";

    [Fact]
    public async Task At_80_columns_a_row_is_a_line_with_its_id_and_status_whole()
    {
        var table = new RemoteTable("id", "status", "workflow", "%", "created", "took", "error or node");
        table.Add(Id, "completed", "A workflow with a long name", "100", "2026-11-22 10:57:27", "796 ms", "result");
        table.Add(Id, "failed", "漢字の名前がとても長いワークフロー", "7", "2026-11-22 10:57:27", "12 h", "model_unavailable: nobody answers at http://127.0.0.1:11434");
        await using var output = new StringWriter();
        table.Write(new CommandContext { Output = output, Error = output, OutputTarget = ConsoleTarget.Terminal, Gather = static (_, _) => new ConfigurationSources() });
        var lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, lines.Length);
        Assert.All(lines.Skip(1), static line => Assert.StartsWith(Id, line, StringComparison.Ordinal));
        Assert.Contains("completed ", lines[1], StringComparison.Ordinal);
        Assert.Contains("…", lines[2], StringComparison.Ordinal);
    }
}

using Lekhika.Daemon.Diagnostics;
using Spectre.Console;

namespace Lekhika.Daemon.Cli.Remote;

/// <summary>Rows in columns: a table on a terminal; in a pipe plain columns, which other programs can take apart.</summary>
internal sealed class RemoteTable(params string[] headings)
{
    private readonly List<string[]> _rows = [];

    public void Add(params string?[] cells) => _rows.Add([.. cells.Select(JsonReading.Plain)]);

    public void Write(CommandContext context)
    {
        if (context.OutputTarget == ConsoleTarget.Terminal) Draw(context);
        else WritePlain(context.Output);
    }

    private void Draw(CommandContext context)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(context.Output),
            Ansi = context.HasOutputColour ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = context.HasOutputColour ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        var table = new Table { Border = TableBorder.Rounded };
        foreach (var heading in headings) table.AddColumn(new TableColumn(new Text(heading, new Style(decoration: Decoration.Bold))) { NoWrap = heading == "id" });
        foreach (var row in _rows) table.AddRow(row.Select(static cell => new Text(cell, StyleOf(cell))));
        console.Write(table);
    }

    private static Style StyleOf(string cell) => cell switch
    {
        "completed" or "yes" => new Style(Color.Green),
        "failed" or "no" => new Style(Color.Red),
        "running" => new Style(Color.Blue),
        "cancelled" or "paused" or "pausing" => new Style(Color.Yellow),
        _ => Style.Plain,
    };

    private void WritePlain(TextWriter output)
    {
        var widths = headings.Select((heading, column) => _rows.Select(row => row[column].Length).Append(heading.Length).Max()).ToArray();
        foreach (var row in _rows.Prepend(headings))
            output.Write(string.Join("  ", row.Select((cell, column) => column == row.Length - 1 ? cell : cell.PadRight(widths[column]))).TrimEnd() + "\n");
    }
}

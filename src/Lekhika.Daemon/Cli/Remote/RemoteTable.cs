using Lekhika.Daemon.Diagnostics;
using Spectre.Console;

namespace Lekhika.Daemon.Cli.Remote;

/// <summary>
/// Rows in columns: a table on a terminal; in a pipe plain columns, which other programs can take apart. What is too wide for the terminal is drawn without
/// lines: ids and statuses stay whole, long texts are cut, and columns that one can best do without are left out.
/// </summary>
internal sealed class RemoteTable(params string[] headings)
{
    private const int Gap = 2;
    private const int LeastText = 12;
    private static readonly string[] Texts = ["workflow", "error or node", "prompt or error", "what", "value", "url", "host", "phase", "error", "step", "worker"];
    private static readonly string[] Spare = ["created", "heartbeat", "since", "took", "%", "version", "phase", "host"];
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
        var widths = headings.Select((heading, column) => _rows.Select(row => row[column].GetCellWidth()).Append(heading.Length).Max()).ToArray();
        if (widths.Sum() + (3 * widths.Length) + 1 > console.Profile.Width)
        {
            console.Write(Narrow(widths, console.Profile.Width));
            return;
        }

        var table = new Table { Border = TableBorder.Rounded };
        foreach (var heading in headings) table.AddColumn(new TableColumn(new Text(heading, new Style(decoration: Decoration.Bold))) { NoWrap = heading == "id" });
        foreach (var row in _rows) table.AddRow(row.Select(static cell => new Text(cell, StyleOf(cell))));
        console.Write(table);
    }

    private Table Narrow(int[] widths, int room)
    {
        var shown = Enumerable.Range(0, headings.Length).ToList();
        int Least(int column) => Texts.Contains(headings[column]) ? Math.Min(widths[column], LeastText) : widths[column];
        foreach (var spare in Spare)
        {
            if (shown.Sum(Least) + (Gap * (shown.Count - 1)) <= room) break;
            shown.RemoveAll(column => headings[column] == spare);
        }

        var free = Math.Max(0, room - shown.Sum(Least) - (Gap * (shown.Count - 1)));
        var table = new Table { Border = TableBorder.None };
        // The last text, which says most, has the first choice of what is left.
        var given = shown.ToDictionary(static column => column, Least);
        foreach (var column in shown.Where(column => Texts.Contains(headings[column])).Reverse())
        {
            var more = Math.Min(free, widths[column] - given[column]);
            given[column] += more;
            free -= more;
        }

        foreach (var column in shown)
        {
            table.AddColumn(new TableColumn(new Text(Cut(headings[column], given[column]), new Style(decoration: Decoration.Bold)))
            {
                NoWrap = true,
                Width = given[column],
                Padding = new Padding(0, 0, column == shown[^1] ? 0 : Gap, 0),
            });
        }

        foreach (var row in _rows) table.AddRow(shown.Select(column => new Text(Cut(row[column], given[column]), StyleOf(row[column]))));
        return table;
    }

    /// <summary>The beginning of a text that is too wide, in cells of the terminal: a letter of some scripts takes two.</summary>
    private static string Cut(string text, int width)
    {
        if (text.GetCellWidth() <= width) return text;
        var end = text.Length;
        while (end > 0 && text[..end].GetCellWidth() > width - 1) end -= end > 1 && char.IsLowSurrogate(text[end - 1]) ? 2 : 1;
        return text[..end].TrimEnd() + "…";
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

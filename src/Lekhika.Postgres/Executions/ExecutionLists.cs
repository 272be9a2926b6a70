using System.Collections.Concurrent;
using System.Diagnostics;
using Npgsql;
using NpgsqlTypes;

namespace Lekhika.Postgres.Executions;

/// <summary>Lists executions and counts them, at a cost that does not grow with the history.</summary>
public sealed class ExecutionLists(Database database)
{
    /// <summary>The statuses a filter may name.</summary>
    public static readonly IReadOnlyList<string> Statuses =
        ["pending", "running", "waiting", "pausing", "paused", "completed", "failed", "cancelled"];

    /// <summary>Most pages are found among the newest; who looks for something rare pays in larger steps.</summary>
    private const int FirstScan = 500;
    private const int LaterScan = 10_000;
    private const int MaxRounds = 30;
    private static readonly TimeSpan Budget = TimeSpan.FromMilliseconds(250);

    private readonly ConcurrentDictionary<string, string> _texts = new(StringComparer.Ordinal);

    /// <summary>One page, newest first.</summary>
    /// <param name="filter">Which ones; its statuses are of <see cref="Statuses"/>.</param>
    /// <param name="below">Only those with a lower number; null for the newest.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<ExecutionPage> PageAsync(ExecutionFilter filter, long? below, int limit, CancellationToken cancellationToken)
    {
        var items = new List<ExecutionListItem>(limit);
        var began = Stopwatch.GetTimestamp();
        long? edge = below ?? long.MaxValue;
        await using var connection = await database.OpenAsync(cancellationToken);
        for (var round = 0; edge is { } from; round++)
        {
            if (round == MaxRounds || (round > 0 && Stopwatch.GetElapsedTime(began) > Budget)) return new ExecutionPage(items, edge);
            edge = await ReadAsync(connection, filter, round == 0 ? FirstScan : LaterScan, from, limit + 1, items, cancellationToken);
            if (items.Count <= limit) continue;
            items.RemoveRange(limit, items.Count - limit);
            return new ExecutionPage(items, items[^1].Exec);
        }

        return new ExecutionPage(items, null);
    }

    /// <summary>One execution as lists show it; null if there is none with that id.</summary>
    public async Task<ExecutionListItem?> FindAsync(long exec, CancellationToken cancellationToken)
    {
        var items = new List<ExecutionListItem>(1);
        await using var connection = await database.OpenAsync(cancellationToken);
        await ReadAsync(connection, new ExecutionFilter(), scan: 1, exec + 1, 1, items, cancellationToken);
        return items.Count == 1 && items[0].Exec == exec ? items[0] : null;
    }

    /// <returns>Where the scan ended; null if it came to the end of the list.</returns>
    private async Task<long?> ReadAsync(
        NpgsqlConnection connection, ExecutionFilter filter, int scan, long below, int limit, List<ExecutionListItem> to, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(TextFor(filter, scan), connection);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = below });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit - to.Count });
        command.Parameters.AddArray(filter.Statuses.Count == 0 ? null : Expanded(filter.Statuses), NpgsqlDbType.Text);
        foreach (var value in new[] { filter.Workflow, filter.User, filter.Model, filter.Query })
        {
            if (value is not null) command.Parameters.AddValue(value, NpgsqlDbType.Text);
        }

        long? lowest = null;
        var scanned = 0L;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            lowest = reader.IsDBNull(0) ? null : reader.GetInt64(0);
            scanned = reader.GetInt64(1);
            if (!reader.IsDBNull(2)) to.Add(Item(reader));
        }

        return scanned < scan ? null : lowest;
    }

    // Whoever asks for paused ones means those too that are on the way.
    private static string[] Expanded(IReadOnlyList<string> statuses) =>
        statuses.Contains("paused") ? [.. statuses, "pausing"] : [.. statuses];

    private string TextFor(ExecutionFilter filter, int scan)
    {
        var key = $"{scan}|{string.Join(',', filter.Statuses.Order(StringComparer.Ordinal))}|{filter.Workflow is null}{filter.User is null}{filter.Model is null}{filter.Query is null}";
        return _texts.TryGetValue(key, out var text) ? text : _texts[key] = database.Statements.Text(ExecutionListStatement.For(filter, scan));
    }

    private static ExecutionListItem Item(NpgsqlDataReader reader) => new()
    {
        Id = reader.GetGuid(2),
        Exec = reader.GetInt64(3),
        WorkflowId = reader.IsDBNull(4) ? null : reader.GetGuid(4),
        WorkflowName = TextAt(reader, 5),
        Status = reader.GetString(6),
        Priority = reader.GetInt32(7),
        UserId = TextAt(reader, 8),
        Progress = reader.GetDouble(9),
        CurrentNodeId = TextAt(reader, 10),
        CreatedAt = reader.GetFieldValue<DateTimeOffset>(11),
        StartedAt = TimeAt(reader, 12),
        FinishedAt = TimeAt(reader, 13),
        Error = TextAt(reader, 14),
        Code = TextAt(reader, 15),
        WaitingFor = JsonText.ParseReadable(TextAt(reader, 16)),
        TokensIn = reader.GetInt64(17),
        TokensOut = reader.GetInt64(18),
        Words = reader.GetInt64(19),
        Run = reader.GetInt32(20),
        Attempts = reader.GetInt32(21),
        ParentId = reader.IsDBNull(22) ? null : reader.GetGuid(22),
        WorkerId = TextAt(reader, 23),
    };

    private static string? TextAt(NpgsqlDataReader reader, int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetString(ordinal);

    private static DateTimeOffset? TimeAt(NpgsqlDataReader reader, int ordinal) =>
        reader.IsDBNull(ordinal) ? null : reader.GetFieldValue<DateTimeOffset>(ordinal);
}

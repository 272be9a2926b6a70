using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Lekhika.Postgres.Executions;

namespace Lekhika.Daemon.Dispatch.Spooling;

// What becomes of a result that could not be written before the process ended (law 7)
//
//   spool/TIME-INCARNATION-EXEC-EPOCH.json   one execution's results; durable when SaveAsync returns: written beside, flushed, renamed, folder flushed
//   spool/rejected/                          refused by the database: the execution is over, in another run, or another result stands
//   spool/corrupt/                           files that are not what was written; never in the way of a start
//
// A file is deleted only after the database has it; a crash in between offers it again, and the database finds that it has it already.

/// <summary>Results kept in the state directory between two lives of a daemon.</summary>
internal sealed partial class Spool
{
    private const string Magic = "lekhika-spool 1";
    private const string Extension = ".json";
    private readonly string _folder;
    private readonly string _database;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    /// <param name="stateDirectory">The folder it is in.</param>
    /// <param name="database">Which database and schema the results belong to.</param>
    /// <param name="time">For names in the order of writing.</param>
    /// <param name="logger">For the log.</param>
    public Spool(string stateDirectory, string database, TimeProvider time, ILogger logger)
    {
        _folder = Path.Combine(stateDirectory, "spool");
        (_database, _time, _logger) = (database, time, logger);
    }

    /// <summary>Files that wait, in the order they were written.</summary>
    public IReadOnlyList<string> Files => Directory.Exists(_folder)
        ? [.. Directory.GetFiles(_folder, "*" + Extension).Order(StringComparer.Ordinal)]
        : [];

    /// <summary>Keeps results; durable when it returns true. A folder that cannot be written to is logged: there is nothing else left to do.</summary>
    public bool Save(long incarnation, string workerId, JournalEntry entry)
    {
        var fence = entry.Fence;
        var name = string.Create(
            CultureInfo.InvariantCulture, $"{_time.GetUtcNow().ToUnixTimeMilliseconds():D15}-{incarnation}-{fence.Exec}-{fence.Epoch}{Extension}");
        try
        {
            Directory.CreateDirectory(_folder);
            Private(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var payload = new SpooledEntry(_database, incarnation, workerId, entry).ToJson();
            var path = Path.Combine(_folder, name);
            var fresh = path + ".new";
            using (var file = new FileStream(fresh, FileMode.Create, FileAccess.Write))
            {
                Private(fresh, UnixFileMode.UserRead | UnixFileMode.UserWrite);
                file.Write(Encoding.ASCII.GetBytes(Header(payload)));
                file.Write(payload);
                file.Flush(flushToDisk: true);
            }

            File.Move(fresh, path, overwrite: true);
            DurableFolder.Flush(_folder);
            LogSaved(_logger, fence.Exec, entry.Steps.Count, path);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogLost(_logger, fence.Exec, entry.Steps.Count, _folder, exception.Message);
            return false;
        }
    }

    /// <summary>Reads a file; null if it belongs to another database.</summary>
    /// <exception cref="FormatException">It is not what was written.</exception>
    public SpooledEntry? Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        var end = Array.IndexOf(bytes, (byte)'\n');
        if (end < 0) throw new FormatException("it has no first line");
        var payload = bytes.AsMemory(end + 1);
        if (Encoding.ASCII.GetString(bytes, 0, end + 1) != Header(payload.Span)) throw new FormatException("its checksum or length is wrong");
        var entry = SpooledEntry.Parse(payload);
        return entry.Database == _database ? entry : null;
    }

    /// <summary>The database has it.</summary>
    public void Remove(string path)
    {
        File.Delete(path);
        DurableFolder.Flush(_folder);
    }

    /// <summary>The database refused it.</summary>
    public string Reject(string path) => MoveInto("rejected", path);

    /// <summary>It cannot be read.</summary>
    public string SetAside(string path) => MoveInto("corrupt", path);

    private string MoveInto(string folder, string path)
    {
        var target = Path.Combine(_folder, folder);
        Directory.CreateDirectory(target);
        var moved = Path.Combine(target, Path.GetFileName(path));
        File.Move(path, moved, overwrite: true);
        return moved;
    }

    private static string Header(ReadOnlySpan<byte> payload) => string.Create(
        CultureInfo.InvariantCulture, $"{Magic} sha256={Convert.ToHexStringLower(SHA256.HashData(payload))} bytes={payload.Length}\n");

    private static void Private(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, mode);
    }

    [LoggerMessage(3601, LogLevel.Warning, "Execution {Exec}: {Count} results could not be written to the database and are kept in {Path} for the next start")]
    private static partial void LogSaved(ILogger logger, long exec, int count, string path);

    [LoggerMessage(3602, LogLevel.Error,
        "Execution {Exec}: {Count} results are lost: neither the database nor {Path} takes them ({Reason}); its steps will run again. Set worker.state_directory.")]
    private static partial void LogLost(ILogger logger, long exec, int count, string path, string reason);
}

using System.Globalization;

namespace Lekhika.Daemon.Dispatch;

/// <summary>
/// The folder in which a daemon remembers between two lives which incarnation it was, so that a restart takes its own claims back at once. A lock on
/// it keeps two processes with one folder apart: the second one works, but takes nothing over.
/// </summary>
internal sealed partial class StateDirectory : IDisposable
{
    private readonly FileStream? _lock;
    private readonly ILogger _logger;
    private readonly string _path;
    private readonly string _file;
    private readonly string _database;

    /// <param name="path">The folder; made if it is not there.</param>
    /// <param name="database">Which database and schema: an incarnation of another one is not ours.</param>
    /// <param name="logger">For the log.</param>
    public StateDirectory(string path, string database, ILogger logger)
    {
        (_path, _logger) = (path, logger);
        _file = Path.Combine(path, "incarnation");
        _database = database;
        try
        {
            Directory.CreateDirectory(path);
            _lock = new FileStream(Path.Combine(path, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogUnavailable(logger, path, exception.Message);
        }
    }

    /// <summary>Results of lives before that are kept in the folder until the database takes them.</summary>
    public int CountSpooled()
    {
        try
        {
            var spool = new DirectoryInfo(Path.Combine(_path, "spool"));
            return spool.Exists ? spool.EnumerateFiles().Count() : 0;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    /// <summary>The incarnation of the life before; null if unknown, or if the folder is another process's.</summary>
    public long? Previous()
    {
        if (_lock is null || !File.Exists(_file)) return null;
        var lines = File.ReadAllLines(_file);
        return lines.Length >= 2 && lines[1] == _database && long.TryParse(lines[0], CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    /// <summary>Remembers the present incarnation.</summary>
    public void Remember(long incarnation)
    {
        if (_lock is null) return;
        try
        {
            var fresh = _file + ".new";
            File.WriteAllLines(fresh, [incarnation.ToString(CultureInfo.InvariantCulture), _database]);
            File.Move(fresh, _file, overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogUnavailable(_logger, _path, exception.Message);
        }
    }

    public void Dispose() => _lock?.Dispose();

    [LoggerMessage(3401, LogLevel.Warning,
        "State directory {Path} cannot be used ({Reason}); a restart will wait for the old lease to lapse. Set worker.state_directory.")]
    private static partial void LogUnavailable(ILogger logger, string path, string reason);
}

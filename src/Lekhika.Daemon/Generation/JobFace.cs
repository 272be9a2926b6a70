using System.Globalization;
using System.Text;
using System.Text.Json;
using Lekhika.Daemon.Dispatch;
using Lekhika.Daemon.Live;
using Lekhika.Daemon.Nodes;
using Lekhika.Postgres.Jobs;

namespace Lekhika.Daemon.Generation;

/// <summary>The phases of a job, in the table's words.</summary>
internal static class JobPhases
{
    public const string Analyze = "analyze";
    public const string Generate = "workflow_generation";
    public const string Validate = "validation";

    /// <summary>What each phase has reached at its end.</summary>
    public const int Analyzed = 30;
    public const int Generated = 90;
    public const int Repairing = 95;
}

/// <summary>Where the progress of a job is told for those who poll its row. At most five writes a job: each is a write to the database.</summary>
internal interface IJobFace
{
    /// <summary>Tells progress; what cannot be told now is told with the next, or shown by the end.</summary>
    ValueTask TellAsync(NodeCall call, int percent, string phase, int retries, IReadOnlyList<JobLogEntry> logs, CancellationToken cancellationToken);
}

/// <summary>One entry of <c>progress_logs</c>.</summary>
internal sealed record JobLogEntry(DateTimeOffset At, string Message, int Progress, string Phase);

/// <summary>There is no row: a run in memory.</summary>
internal sealed class NoJobFace : IJobFace
{
    public ValueTask TellAsync(NodeCall call, int percent, string phase, int retries, IReadOnlyList<JobLogEntry> logs, CancellationToken cancellationToken) =>
        ValueTask.CompletedTask;
}

/// <summary>The row of the job, under the fence of its execution's claim. A database that is away costs nothing but the telling.</summary>
internal sealed partial class RowJobFace(GenerationJobs jobs, DaemonState state, ILogger logger) : IJobFace
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public async ValueTask TellAsync(
        NodeCall call, int percent, string phase, int retries, IReadOnlyList<JobLogEntry> logs, CancellationToken cancellationToken)
    {
        if (state.Incarnation is not { } incarnation) return;
        var header = call.Live.Header;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            await jobs.TellAsync(
                new GenerationProgress(call.Run.Id, header.Exec, incarnation, header.Epoch, header.Run, header.WorkerId, percent, phase, retries, Written(logs)),
                patience.Token);
        }
        catch (Exception exception) when (Postgres.Database.IsTransient(exception) || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            LogNotTold(logger, call.Run.Id, exception.Message);
        }
    }

    private static string Written(IReadOnlyList<JobLogEntry> logs)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartArray();
            foreach (var entry in logs)
            {
                writer.WriteStartObject();
                writer.WriteString("timestamp", entry.At.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.ffffffzzz", CultureInfo.InvariantCulture));
                writer.WriteString("message", entry.Message);
                writer.WriteNumber("progress", entry.Progress);
                writer.WriteString("phase", entry.Phase);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    [LoggerMessage(5001, LogLevel.Warning, "Generation job {JobId}: progress could not be written ({Reason}); it goes on")]
    private static partial void LogNotTold(ILogger logger, Guid jobId, string reason);
}

/// <summary>Tells the live picture how far a model's reply has come: each piece takes a share of what is left of the phase.</summary>
internal sealed class JobSink(NodeCall call, double from, double to, double typicalPieces) : Inference.IModelSink
{
    private int _pieces;

    public void Queued(int position) => call.Live.StepQueued(call.Step.Key, position);

    public ValueTask MayBeginAsync(CancellationToken cancellationToken) =>
        call.Deadline?.MayBeginAsync(cancellationToken) ?? ValueTask.CompletedTask;

    public void Started(string endpoint, int attempt) => call.Live.StepTurn(call.Step.Key, endpoint, attempt);

    public void Text(string piece)
    {
        call.Live.StepText(call.Step.Key, piece, thinking: false);
        Advance();
    }

    public void Thinking(string piece) => call.Live.StepText(call.Step.Key, piece, thinking: true);

    public void Restarted(string reason)
    {
        _pieces = 0;
        call.Live.StepRestarted(call.Step.Key, reason);
    }

    private void Advance() => call.Live.OwnProgress(from + ((to - from) * 0.99 * (1 - Math.Exp(-++_pieces / typicalPieces))));
}

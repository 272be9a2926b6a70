namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>Writes a line to the daemon's log. A run that is taken up again may write it once more.</summary>
internal sealed partial class LogRunner(ILogger logger) : INodeRunner
{
    private const int LongestLine = 8192;

    public ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        var message = call.Config.Text("message") ?? "";
        var level = call.Config.Text("level") ?? "info";
        var severity = level switch
        {
            "debug" => LogLevel.Debug,
            "warn" => LogLevel.Warning,
            "error" => LogLevel.Error,
            _ => LogLevel.Information,
        };
        LogSaid(logger, severity, call.Run.Id, call.Step.Key, message.Length <= LongestLine ? message : message[..LongestLine] + "…");
        return ValueTask.FromResult<NodeOutcome>(new NodeSucceeded(JsonConstants.Object(writer =>
        {
            writer.WriteString("message", message);
            writer.WriteString("level", level);
        })));
    }

    [LoggerMessage(EventId = 3101, Message = "Execution {ExecutionId}: node {NodeId} says: {Text}")]
    private static partial void LogSaid(ILogger logger, LogLevel level, Guid executionId, string nodeId, string text);
}

using Lekhika.Daemon.Cli;
using Lekhika.Daemon.Hosting;

var context = CommandContext.ForProcess();
var handlers = new CommandHandlers
{
    Run = RunHandler.RunAsync,
    Migrate = (configuration, mode, cancellation) => MigrateHandler.RunAsync(context, configuration, mode, cancellation),
    Try = (configuration, arguments, cancellation) => TryHandler.RunAsync(context, configuration, arguments, cancellation),
    Generate = (configuration, arguments, cancellation) => GenerateHandler.RunAsync(context, configuration, arguments, cancellation),
};

try
{
    return await CommandLine.InvokeAsync(args, handlers, context);
}
catch (Exception error)
{
    ProblemReport.Error(context, $"internal fault: {error}");
    return ExitCodes.Failure;
}

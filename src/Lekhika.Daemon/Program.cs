using Lekhika.Daemon.Cli;
using Lekhika.Daemon.Hosting;

var context = CommandContext.ForProcess();
var handlers = new CommandHandlers
{
    Run = (_, _) => NotInThisBuild("run"),
    Migrate = (_, _, _) => NotInThisBuild("migrate"),
    Try = (_, _, _) => NotInThisBuild("try"),
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

Task<int> NotInThisBuild(string command)
{
    ProblemReport.Error(context, $"{command} is not part of this build");
    return Task.FromResult(ExitCodes.Failure);
}

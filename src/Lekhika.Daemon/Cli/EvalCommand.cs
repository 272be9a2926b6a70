using System.CommandLine;
using System.Text.Json;
using Lekhika.Daemon.Hosting;
using Lekhika.Workflows.Expressions;

namespace Lekhika.Daemon.Cli;

/// <summary><c>lekhika-daemon eval EXPR</c>: evaluates a CEL expression.</summary>
internal static class EvalCommand
{
    public static Command Create(CommandContext context)
    {
        var expression = new Argument<string?>("EXPR") { Description = "The expression, such as 'inputs.words > 1000'", Arity = ArgumentArity.ZeroOrOne };
        var bindings = new Option<string?>("--bindings")
        {
            Description = "JSON object whose members are the names the expression sees; - reads standard input",
            HelpName = "FILE",
        };
        var lines = new Option<bool>("--ndjson")
        {
            Description = "Evaluate lines {\"expr\":…,\"bindings\":[[name, value]…]} from standard input, with values that name their type, such as {\"int\":\"1\"}",
        };
        var command = new ExampleCommand("eval", "Evaluate a CEL expression and print its value as JSON; exit 1 if it fails")
        {
            ReadsConfiguration = false,
            Examples =
            [
                ("arithmetic", "lekhika-daemon eval '[1, 2, 3].map(n, n * n)'"),
                ("with names", "echo '{\"inputs\":{\"words\":1200}}' | lekhika-daemon eval 'inputs.words > 1000' --bindings -"),
                ("for conformance tests", "lekhika-daemon eval --ndjson < cases.ndjson"),
            ],
        };
        command.Add(expression);
        command.Add(bindings);
        command.Add(lines);
        command.Validators.Add(result =>
        {
            if (result.GetValue(lines) == result.GetValue(expression) is not null) result.AddError("give either an expression or --ndjson.");
            else if (result.GetValue(lines) && result.GetValue(bindings) is not null) result.AddError("with --ndjson every line has its own bindings; leave --bindings out.");
        });
        command.SetAction((parsed, cancellation) => Interruptible.RunAsync(
            token => parsed.GetValue(lines)
                ? EvaluateLinesAsync(context, token)
                : EvaluateAsync(context, parsed.GetRequiredValue(expression)!, parsed.GetValue(bindings), token),
            cancellation));
        return command;
    }

    private static async Task<int> EvaluateAsync(CommandContext context, string text, string? file, CancellationToken cancellation)
    {
        var names = new CelBindings();
        if (file is not null)
        {
            if (await WorkflowFile.ReadAsync(context, file, cancellation) is not { } document) return ExitCodes.Failure;
            if (document.ValueKind != JsonValueKind.Object)
            {
                ProblemReport.Error(context, $"{WorkflowFile.Name(file)} must hold an object whose members are the names, such as {{\"inputs\": {{\"topic\": \"rain\"}}}}");
                return ExitCodes.Failure;
            }

            foreach (var property in document.EnumerateObject()) names[property.Name] = CelValue.FromJson(property.Value);
        }

        try
        {
            var value = CelExpression.Compile(text).Evaluate(names);
            await context.Output.WriteLineAsync(value.ToJson().GetRawText());
            return ExitCodes.Success;
        }
        catch (CelSyntaxException error)
        {
            ProblemReport.Error(context, error.Message);
        }
        catch (CelEvaluationException error)
        {
            ProblemReport.Error(context, error.Line is null ? error.Message : $"line {error.Line}, column {error.Column}: {error.Message}");
        }

        return ExitCodes.Failure;
    }

    private static async Task<int> EvaluateLinesAsync(CommandContext context, CancellationToken cancellation)
    {
        while (await context.Input.ReadLineAsync(cancellation) is { } line)
        {
            if (line.Length > 0) await context.Output.WriteLineAsync(CelNdjson.EvaluateLine(line));
        }

        await context.Output.FlushAsync(cancellation);
        return ExitCodes.Success;
    }
}

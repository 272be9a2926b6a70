using Lekhika.Workflows.Validation;

namespace Lekhika.Daemon.Http.Execute;

/// <summary>Problems of a definition with their place in the body that it came in.</summary>
internal static class WorkflowProblems
{
    public static FieldProblem In(string parent, Problem problem) =>
        new(Join(parent, problem.Path), problem.Message, problem.Code, problem.Suggestion);

    public static string Join(string parent, string path) =>
        parent.Length == 0 ? path : path.Length == 0 ? parent : path[0] == '[' ? parent + path : $"{parent}.{path}";
}

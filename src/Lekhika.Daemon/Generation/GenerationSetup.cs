using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Hosting;
using Lekhika.Daemon.Nodes;
using Lekhika.Inference;

namespace Lekhika.Daemon.Generation;

/// <summary>Puts the generation of workflows together from the configuration.</summary>
internal static class GenerationSetup
{
    /// <summary>Everything the built-in workflow needs. An operator's catalogue that cannot be used makes jobs fail with the reason, and nothing else.</summary>
    public static GenerationServices Services(
        DaemonOptions options, IWorkflowCompiler compiler, Func<Workflows.Catalogue.NodeType, bool> runs, IModelCaller models, Hosting.ModelSettings names, IJobFace face, TimeProvider time)
    {
        var reading = WorkflowSettings.Reading(options);
        GenerationCatalogue? catalogue = null;
        string? problem = null;
        try
        {
            catalogue = options.Generation.Catalogue is { } file
                ? GenerationCatalogue.Foreign(File.ReadAllBytes(file))
                : GenerationCatalogue.Own(reading.Catalogue, runs);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException or ArgumentException)
        {
            problem = $"{options.Generation.Catalogue}: {exception.Message}";
        }

        return new GenerationServices
        {
            Options = options.Generation,
            Catalogue = catalogue,
            CatalogueProblem = problem,
            Rules = catalogue is null ? null : new DraftRules(catalogue, compiler, reading, options.Limits.Nodes),
            Models = models,
            ResolveModel = names.Resolve,
            Face = face,
            Time = time,
        };
    }
}

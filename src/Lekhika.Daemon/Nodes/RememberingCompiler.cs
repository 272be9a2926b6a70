using System.Text.Json;

namespace Lekhika.Daemon.Nodes;

/// <summary>The compiler of the configuration in force; a reload replaces it.</summary>
internal sealed class SwitchableCompiler(IWorkflowCompiler compiler) : IWorkflowCompiler
{
    private volatile IWorkflowCompiler _compiler = compiler;

    public void Replace(IWorkflowCompiler compiler) => _compiler = compiler;

    public CompileResult Compile(JsonElement document) => _compiler.Compile(document);
}

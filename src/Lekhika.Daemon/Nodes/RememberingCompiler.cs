using System.Runtime.InteropServices;
using System.Text.Json;

namespace Lekhika.Daemon.Nodes;

/// <summary>
/// The compiler of the configuration in force, which a reload replaces. A definition is compiled once: a request is checked with what its execution
/// then runs.
/// </summary>
internal sealed class RememberingCompiler(IWorkflowCompiler compiler) : IWorkflowCompiler
{
    private volatile Memory _memory = new(compiler);

    /// <summary>Takes another one, and forgets what was compiled by the one before.</summary>
    public void Replace(IWorkflowCompiler compiler) => _memory = new Memory(compiler);

    /// <inheritdoc/>
    public CompileResult Compile(JsonElement document)
    {
        var memory = _memory;
        var text = JsonMarshal.GetRawUtf8Value(document);
        var hash = ContentHash.Of(text);
        // What is kept must not be a view into somebody's request, whose memory is used again.
        return memory.Results.Find(hash) ?? memory.Results.Add(hash, text.Length, memory.Compiler.Compile(document.Clone()));
    }

    private sealed record Memory(IWorkflowCompiler Compiler)
    {
        public ContentCache<CompileResult> Results { get; } = new();
    }
}

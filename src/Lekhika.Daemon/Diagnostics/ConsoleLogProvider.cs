using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Lekhika.Daemon.Diagnostics;

/// <summary>Writes log events to standard output, one write each, in the form that its reader wants (<see cref="LogLine"/>).</summary>
[ProviderAlias("Console")]
internal sealed class ConsoleLogProvider(TextWriter output, LogLine line, LogLevelSwitch level, TimeProvider time) : ILoggerProvider, ISupportExternalScope
{
    private readonly ConcurrentDictionary<string, CategoryLogger> _loggers = new(StringComparer.Ordinal);
    private readonly Lock _writing = new();
    private IExternalScopeProvider _scopes = new LoggerExternalScopeProvider();

    public ILogger CreateLogger(string categoryName) => _loggers.GetOrAdd(categoryName, name => new CategoryLogger(this, name));

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    public void Dispose()
    {
        lock (_writing)
        {
            output.Flush();
        }
    }

    private void Write(string text)
    {
        // An event is one write, so that lines of two threads never mix.
        lock (_writing)
        {
            try
            {
                output.Write(text);
                output.Flush();
            }
            catch (IOException)
            {
                // The reader went away (a closed pipe). There is nowhere left to say so, and the work must go on.
            }
        }
    }

    private sealed class CategoryLogger(ConsoleLogProvider provider, string category) : ILogger
    {
        private readonly bool _isFramework = category.StartsWith("Microsoft.", StringComparison.Ordinal)
            || category.StartsWith("System.", StringComparison.Ordinal)
            || category.StartsWith("Npgsql", StringComparison.Ordinal);

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => provider._scopes.Push(state);

        public bool IsEnabled(LogLevel logLevel) => provider.Level.Allows(logLevel, _isFramework);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                var fields = LogFields.Collect(state, provider._scopes);
                provider.Write(provider.Line.Format(provider.Time.GetLocalNow(), logLevel, category, formatter(state, exception), fields, exception));
            }
        }
    }

    private LogLevelSwitch Level => level;

    private LogLine Line => line;

    private TimeProvider Time => time;
}

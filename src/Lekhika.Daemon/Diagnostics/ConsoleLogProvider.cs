using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Lekhika.Daemon.Diagnostics;

/// <summary>Writes log events to standard output, each one line, in the form that its reader wants (<see cref="LogLine"/>).</summary>
[ProviderAlias("Console")]
internal sealed class ConsoleLogProvider(ILineSink output, LogLine line, LogLevelSwitch level, TimeProvider time) : ILoggerProvider, ISupportExternalScope
{
    private readonly ConcurrentDictionary<string, CategoryLogger> _loggers = new(StringComparer.Ordinal);
    private IExternalScopeProvider _scopes = new LoggerExternalScopeProvider();

    public ILogger CreateLogger(string categoryName) => _loggers.GetOrAdd(categoryName, name => new CategoryLogger(this, name));

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    public void Dispose() => output.Dispose();

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
                provider.Output.Write(
                    provider.Line.Format(provider.Time.GetLocalNow(), logLevel, category, formatter(state, exception), fields, exception),
                    mayDrop: logLevel < LogLevel.Warning);
            }
        }
    }

    private ILineSink Output => output;

    private LogLevelSwitch Level => level;

    private LogLine Line => line;

    private TimeProvider Time => time;
}

using Microsoft.Extensions.Logging;

namespace Lekhika.Daemon.Diagnostics;

/// <summary>The least severe level that is logged; a reload may change it.</summary>
internal sealed class LogLevelSwitch(LogLevel minimum)
{
    private volatile int _minimum = (int)minimum;

    public LogLevel Minimum
    {
        get => (LogLevel)_minimum;
        set => _minimum = (int)value;
    }

    /// <summary>Whether an event is logged. The framework's own categories are held one level stricter: at info they say little worth reading.</summary>
    public bool Allows(LogLevel level, bool isFramework)
    {
        var least = Minimum;
        return level != LogLevel.None && level >= (isFramework && least <= LogLevel.Information ? least + 1 : least);
    }
}

namespace Lekhika.Daemon.Configuration;

/// <summary>What came of reading a value's text: the value, or what is wrong with the text.</summary>
/// <remarks>The message never repeats the text: the caller does, if the setting is not secret.</remarks>
internal readonly record struct Reading<T>(T? Value, string? Error)
{
    public static implicit operator Reading<T>(T value) => new(value, null);

    public static Reading<T> Failed(string error) => new(default, error);
}

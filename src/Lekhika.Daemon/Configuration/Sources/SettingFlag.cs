using System.Collections.Immutable;

namespace Lekhika.Daemon.Configuration;

/// <summary>A setting given as <c>--section.key VALUE</c>.</summary>
/// <param name="Section">Before the first dot.</param>
/// <param name="Key">After it.</param>
/// <param name="Value">The value; null when the command line ends or goes on with another flag where it should stand.</param>
internal sealed record SettingFlag(string Section, string Key, string? Value)
{
    public string Name => $"--{Section}.{Key}";

    /// <summary>Takes the setting flags out of a command line: every argument up to <c>--</c> that begins with two dashes and has a dot in its name.</summary>
    /// <remarks>
    /// The value follows after "=" or as the next argument. One that begins with two dashes must follow after "=". A boolean
    /// may stand alone and then means true, so its value is taken from the next argument only if that reads as a boolean.
    /// </remarks>
    public static (ImmutableArray<string> Others, ImmutableArray<SettingFlag> Flags) Extract(IReadOnlyList<string> arguments)
    {
        var others = ImmutableArray.CreateBuilder<string>();
        var flags = ImmutableArray.CreateBuilder<SettingFlag>();
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            if (argument == "--")
            {
                others.AddRange(arguments.Skip(i));
                break;
            }

            var equals = argument.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? argument : argument[..equals];
            var dot = name.IndexOf('.', StringComparison.Ordinal);
            if (!name.StartsWith("--", StringComparison.Ordinal) || dot < 3 || dot == name.Length - 1)
            {
                others.Add(argument);
                continue;
            }

            var (section, key) = (name[2..dot], name[(dot + 1)..]);
            var next = i + 1 < arguments.Count ? arguments[i + 1] : null;
            if (equals >= 0)
            {
                flags.Add(new(section, key, argument[(equals + 1)..]));
            }
            else if (SettingTable.Find(section, key) is Setting<bool> boolean && (next is null || boolean.Read(next).Error is not null))
            {
                flags.Add(new(section, key, "true"));
            }
            else if (next is null || next.StartsWith("--", StringComparison.Ordinal))
            {
                flags.Add(new(section, key, null));
            }
            else
            {
                flags.Add(new(section, key, next));
                i++;
            }
        }

        return (others.ToImmutable(), flags.ToImmutable());
    }
}

using System.Globalization;

namespace Lekhika.Postgres.Migrations;

/// <summary>One numbered step of the schema.</summary>
/// <param name="Version">Its number, from 1, without gaps.</param>
/// <param name="Name">What it does, in a word or two.</param>
/// <param name="Sql">Its text, with <c>{schema}</c> where the schema's name goes.</param>
public sealed record Migration(int Version, string Name, string Sql)
{
    /// <summary>
    /// The oldest daemon schema-version that can still work on the newest schema. Raised only by a migration that takes something away.
    /// </summary>
    public const int MinReader = 1;

    /// <summary>All of them, in order, as they are embedded in the binary.</summary>
    public static IReadOnlyList<Migration> All { get; } = Load();

    /// <summary>The version a database has once all of them are applied.</summary>
    public static int Latest => All[^1].Version;

    private static List<Migration> Load()
    {
        var assembly = typeof(Migration).Assembly;
        var all = new List<Migration>();
        foreach (var name in assembly.GetManifestResourceNames().Order(StringComparer.Ordinal))
        {
            if (!name.EndsWith(".sql", StringComparison.Ordinal)) continue;
            var file = name.Split('.')[^2];
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            all.Add(new Migration(int.Parse(file.AsSpan(0, 4), CultureInfo.InvariantCulture), file[5..].Replace('_', ' '), reader.ReadToEnd()));
        }

        return all;
    }
}

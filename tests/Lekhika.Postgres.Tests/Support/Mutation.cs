using Lekhika.Postgres.Migrations;
using Xunit;

namespace Lekhika.Tests.Support;

/// <summary>Takes a guard out of a function of a test's own database, to show that the guard is what prevents the bad outcome.</summary>
internal static class Mutation
{
    /// <summary>Replaces the function by the migrations' text of it, with every guard replaced.</summary>
    public static async Task ApplyAsync(Engine engine, string function, params (string Guard, string Instead)[] changes)
    {
        var start = $"CREATE FUNCTION {{schema}}.{function}(";
        var sql = Migration.All.Select(migration => migration.Sql).Last(text => text.Contains(start, StringComparison.Ordinal));
        var from = sql.IndexOf(start, StringComparison.Ordinal);
        var body = sql.IndexOf("$$", from, StringComparison.Ordinal);
        var to = sql.IndexOf("$$;", body + 2, StringComparison.Ordinal) + 3;
        var text = sql[from..to].Replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", StringComparison.Ordinal);
        foreach (var (guard, instead) in changes)
        {
            Assert.Contains(guard, text, StringComparison.Ordinal);
            text = text.Replace(guard, instead, StringComparison.Ordinal);
        }

        await engine.ExecuteAsync(engine.Db.Database.Statements.Text(text));
    }
}

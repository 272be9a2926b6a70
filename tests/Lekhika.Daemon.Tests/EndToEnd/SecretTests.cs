using System.Text;
using System.Text.Json;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Daemon.Tests.Nodes.Support;
using Microsoft.AspNetCore.Http;
using Npgsql;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>A secret goes to its host and to nobody else, and no table, log, reply or file of the daemon's holds it.</summary>
public sealed class SecretTests(Servers servers)
{
    private const string Value = "wr0ng-h4nds/keep+out";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_secret_is_sent_and_kept_nowhere()
    {
        await using var scene = await Scene.BeginAsync(servers);
        await using var host = await SmallServer.StartAsync(static async context =>
        {
            context.Response.StatusCode = context.Request.Path == "/bad" ? 500 : 200;
            context.Response.ContentType = "application/json";
            context.Response.Headers["X-Was"] = context.Request.Headers["X-Key"].ToString();
            await context.Response.WriteAsync(JsonSerializer.Serialize(new { you_sent = context.Request.Headers["X-Key"].ToString(), path = context.Request.Path.Value }), context.RequestAborted);
        });
        var file = Path.Combine(scene.Folder("secret"), "crm");
        await File.WriteAllTextAsync(file, Value + "\n", Cancellation);
        var daemon = await scene.DaemonAsync(setup =>
        {
            setup.Settings["server.log_level"] = "debug";
            setup.Settings["worker.max_retries"] = "0";
            setup.Settings["http.allow"] = "127.0.0.1";
            setup.Settings["secret.crm.value_file"] = file;
            setup.Settings["secret.crm.users"] = "alice";
            setup.Settings["secret.crm.hosts"] = $"http://127.0.0.1:{host.Port}";
        });

        var good = await RunAsync(scene, "alice", Call(host.Url, ""));
        Assert.True(good.Status == "completed", good.ToString());
        Assert.Equal("[redacted]", good.ResultJson.GetProperty("json").GetProperty("you_sent").GetString());
        Assert.Equal(Value, host.Requests.Last().Headers["X-Key"]);

        var bad = await RunAsync(scene, "alice", Call(host.Url, "bad"));
        Assert.Equal(("failed", "http_status"), (bad.Status, bad.Code));
        var sent = host.Requests.Count;
        var other = await RunAsync(scene, "bob", Call(host.Url, ""));
        Assert.Equal(("failed", "secret_not_allowed"), (other.Status, other.Code));
        Assert.Contains("not for the user bob", other.Error, StringComparison.Ordinal);
        var elsewhere = await RunAsync(scene, "alice", Call(new Uri($"http://localhost:{host.Port}/"), ""));
        Assert.Equal(("failed", "secret_not_allowed"), (elsewhere.Status, elsewhere.Code));
        Assert.Equal(sent, host.Requests.Count);
        var unknown = await daemon.PostAsync("workflows/validate", Call(host.Url, "").Replace("secrets.crm", "secrets.cmr", StringComparison.Ordinal), Cancellation);
        Assert.Contains("did you mean 'crm'?", unknown.Body.GetRawText(), StringComparison.Ordinal);

        // Taken over by SIGHUP: another value, and then nobody may use it.
        await File.WriteAllTextAsync(file, "another-" + Value, Cancellation);
        var mark = daemon.Mark;
        daemon.Reload();
        await daemon.LogFromAsync(mark, Cancellation, "Reloaded");
        await RunAsync(scene, "alice", Call(host.Url, ""));
        Assert.Equal("another-" + Value, host.Requests.Last().Headers["X-Key"]);
        mark = daemon.Mark;
        daemon.Reload(("secret.crm.users", "carol"));
        await daemon.LogFromAsync(mark, Cancellation, "Reloaded");
        Assert.Equal("secret_not_allowed", (await RunAsync(scene, "alice", Call(host.Url, ""))).Code);

        var status = await daemon.GetAsync($"status/{good.Id}", Cancellation);
        Assert.DoesNotContain(Value, status.Body.GetRawText(), StringComparison.Ordinal);
        await daemon.StopAsync(Cancellation);
        Assert.DoesNotContain(daemon.Child.Lines, static line => line.Contains(Value, StringComparison.Ordinal));
        Assert.NotEmpty(await PlacesAsync(scene, "secrets.crm")); // the search finds what is there
        foreach (var form in new[] { Value, Uri.EscapeDataString(Value), Convert.ToBase64String(Encoding.UTF8.GetBytes(Value)), Convert.ToHexStringLower(Encoding.UTF8.GetBytes(Value)) }) Assert.Empty(await PlacesAsync(scene, form));
    }

    private static string Call(Uri url, string path) =>
        WorkflowRun.OneNode("http", $$$"""{"method":"POST","url":"{{{url}}}{{{path}}}","headers":{"X-Key":"{{ secrets.crm }}"},"body":{"key":"{{ secrets.crm }}"}}""");

    private static async Task<(Guid Id, string Status, string? Code, string? Error, JsonElement ResultJson)> RunAsync(Scene scene, string user, string definition)
    {
        var id = Guid.NewGuid();
        await scene.Database.ExecuteAsync(
            "INSERT INTO lekhika.workflow_executions (id, definition, inputs, status, user_id) VALUES ($1, $2::jsonb, '{}', 'pending', $3)", Cancellation, id, definition, user);
        var end = await scene.EndAsync(id);
        return (id, end.Status, end.Code, end.Error, end.ResultJson);
    }

    /// <summary>The tables that hold a text in any column of any row.</summary>
    private static async Task<List<string>> PlacesAsync(Scene scene, string text)
    {
        var tables = new List<string>();
        await using (var command = scene.Database.Sql.CreateCommand("SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'lekhika' OR schemaname = 'public'"))
        await using (var reader = await command.ExecuteReaderAsync(Cancellation))
        {
            while (await reader.ReadAsync(Cancellation)) tables.Add(reader.GetString(0));
        }

        var places = new List<string>();
        foreach (var table in tables)
        {
            await using var command = scene.Database.Sql.CreateCommand($"SELECT count(*) FROM {table} t WHERE strpos(t::text, $1) > 0");
            command.Parameters.Add(new NpgsqlParameter { Value = text });
            if (await command.ExecuteScalarAsync(Cancellation) is > 0L) places.Add(table);
        }

        return places;
    }
}

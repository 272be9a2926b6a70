using Lekhika.Postgres.Definitions;
using Lekhika.Tests.Support;
using Xunit;

namespace Lekhika.Postgres.Tests.Definitions;

public sealed class WorkflowStoreTests(PostgresCluster cluster)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_changed_definition_is_a_new_version_and_a_change_from_an_old_one_is_refused()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var store = new WorkflowStore(engine.Db.Database);
        var id = Guid.NewGuid();
        var added = await store.AddAsync(new StoredWorkflow { Id = id, Name = "haiku" }, """{"nodes": []}""", Token);
        Assert.Equal((1, true, "haiku"), (added!.Version, added.IsActive, added.Name));
        Assert.Null(await store.AddAsync(new StoredWorkflow { Id = id, Name = "other" }, "{}", Token));

        var renamed = await store.ChangeAsync(id, new WorkflowChange { Name = "verse", Definition = """{"nodes": []}""" }, Token);
        Assert.Equal(("verse", 1), (renamed!.Name, renamed.Version));
        var changed = await store.ChangeAsync(id, new WorkflowChange { Definition = """{"nodes": [1]}""", FromVersion = 1 }, Token);
        Assert.Equal(("verse", 2), (changed!.Name, changed.Version));
        Assert.Null(await store.ChangeAsync(id, new WorkflowChange { IsActive = false, FromVersion = 1 }, Token));
        Assert.Null(await store.ChangeAsync(Guid.NewGuid(), new WorkflowChange { IsActive = false }, Token));
        Assert.Equal("[1]", (await store.FindAsync(id, Token))!.Definition!.Value.GetProperty("nodes").GetRawText());
    }

    [Fact]
    public async Task Workflows_are_listed_by_id_and_found_by_a_part_of_their_name()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var store = new WorkflowStore(engine.Db.Database);
        var ids = Enumerable.Range(0, 5).Select(static _ => Guid.NewGuid()).ToList();
        foreach (var id in ids) await store.AddAsync(new StoredWorkflow { Id = id, Name = id == ids[2] ? "Monsoon 100%" : "other" }, "{}", Token);
        var first = await store.ListAsync(null, null, 3, Token);
        var rest = await store.ListAsync(first[^1].Id, null, 3, Token);
        Assert.Equal(ids.Order(), first.Concat(rest).Select(static workflow => workflow.Id).Order());
        Assert.Equal(ids[2], Assert.Single(await store.ListAsync(null, "soon 100%", 3, Token)).Id);
    }
}

using System.Threading.Channels;
using Lekhika.Postgres.Executions;
using Lekhika.Tests.Support;
using Npgsql;
using Xunit;

namespace Lekhika.Postgres.Tests.Executions;

public sealed class SubmissionTests(PostgresCluster cluster)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Submission Some(Guid? id = null) => new() { Id = id ?? Guid.NewGuid(), Inputs = """{"a": 1}""", Definition = """{"nodes": []}""" };

    [Fact]
    public async Task A_claimed_submission_is_held_at_once_and_never_queued()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var result = await engine.Submitter.SubmitAsync(worker, claim: true, Some() with { UserId = "u", Priority = 4 }, Token);
        Assert.Equal((true, true, "pending", 1), (result.Created, result.Claimed, result.Status, result.Run));
        Assert.Equal("held", await engine.PlaceAsync(result.Exec));
        Assert.True(await engine.ScalarAsync<bool>("SELECT tenant = lekhika.tenant_of('u') AND pri = -4 FROM lekhika.held"));
        Assert.Equal(JournalVerdict.Committed, await engine.VerdictAsync(worker, Engine.Finish(new Fence(result.Exec, 1, 1), "completed", Engine.Step("a"))));
    }

    [Fact]
    public async Task An_unclaimed_submission_is_queued()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var result = await engine.Submitter.SubmitAsync(worker, claim: false, Some(), Token);
        Assert.Equal((true, false), (result.Created, result.Claimed));
        Assert.Equal("ready", await engine.PlaceAsync(result.Exec));
    }

    [Fact]
    public async Task A_submission_for_later_is_parked_even_if_a_slot_is_free()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var result = await engine.Submitter.SubmitAsync(worker, claim: true, Some() with { RunAt = new DateTimeOffset(2999, 1, 1, 0, 0, 0, TimeSpan.Zero) }, Token);
        Assert.False(result.Claimed);
        Assert.Equal("parked", await engine.PlaceAsync(result.Exec));
    }

    [Fact]
    public async Task A_revoked_incarnation_inserts_unclaimed()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        await engine.EvictAsync(worker);
        var result = await engine.Submitter.SubmitAsync(worker, claim: true, Some(), Token);
        Assert.Equal((true, false), (result.Created, result.Claimed));
        Assert.Equal("ready", await engine.PlaceAsync(result.Exec));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_submission_that_waited_for_the_revocation_is_not_claimed(bool removed)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        if (removed) await Mutation.ApplyAsync(engine, "submit", ("AND NOT w.revoked FOR SHARE", "AND NOT w.revoked"));
        var worker = await engine.EnlistAsync();
        await using var eviction = await engine.BeginAsync("SELECT lekhika.evict(ARRAY[$1])", worker);
        var submission = engine.Submitter.SubmitAsync(worker, claim: true, Some(), Token);
        if (removed) await submission;
        else await engine.UntilBlockedAsync();
        await eviction.CommitAsync();
        Assert.Equal(removed ? "held" : "ready", await engine.PlaceAsync((await submission).Exec));
    }

    [Fact]
    public async Task A_repeated_id_changes_nothing_and_tells_the_hash_it_was_submitted_with()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var first = Some() with { RequestHash = Guid.NewGuid() };
        var made = await engine.Submitter.SubmitAsync(worker, claim: true, first, Token);
        var same = await engine.Submitter.SubmitAsync(worker, claim: true, first, Token);
        var other = await engine.Submitter.SubmitAsync(worker, claim: true, first with { RequestHash = Guid.NewGuid(), Inputs = "{}" }, Token);
        Assert.Equal((false, false, made.Exec, first.RequestHash), (same.Created, same.Claimed, same.Exec, same.RequestHash));
        Assert.Equal((false, first.RequestHash), (other.Created, other.RequestHash));
        Assert.Equal(made.CreatedAt, same.CreatedAt);
        Assert.Equal("1", await engine.ScalarAsync<string>("SELECT inputs->>'a' FROM lekhika.workflow_executions"));
        Assert.Equal("held", await engine.PlaceAsync(made.Exec));
    }

    [Fact]
    public async Task An_idempotency_key_that_exists_finds_its_execution_whatever_the_id()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var made = await engine.Submitter.SubmitAsync(worker, claim: false, Some() with { IdempotencyKey = "k" }, Token);
        var again = await engine.Submitter.SubmitAsync(worker, claim: true, Some() with { IdempotencyKey = "k" }, Token);
        Assert.Equal((false, false, made.Id), (again.Created, again.Claimed, again.Id));
        Assert.Equal(1, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions"));
    }

    [Fact]
    public async Task The_same_submission_sent_twice_at_once_is_made_once()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        for (var round = 0; round < 20; round++)
        {
            var submission = Some();
            var results = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => engine.Submitter.SubmitAsync(worker, claim: true, submission, Token)));
            Assert.Single(results, result => result.Created);
        }

        Assert.Equal(20, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.held"));
        await Invariants.AssertPlacesAsync(engine.Db, settled: true, Token);
    }

    [Fact]
    public async Task Submissions_that_come_together_share_their_commits_and_each_gets_its_own_answer()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        await engine.Submitter.SubmitAsync(worker, claim: false, Some(), Token);
        var commits = await CommitsAsync();

        var submissions = Enumerable.Range(0, 200).Select(_ => Some()).ToList();
        var results = await Task.WhenAll(submissions.Select(submission => engine.Submitter.SubmitAsync(worker, claim: true, submission, Token)));

        Assert.Equal(submissions.Select(static submission => submission.Id), results.Select(static result => result.Id));
        Assert.All(results, static result => Assert.True(result is { Created: true, Claimed: true }));
        Assert.Equal(200, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.held"));
        Assert.InRange(await CommitsAsync() - commits, 1, 20);
        await Invariants.AssertPlacesAsync(engine.Db, settled: true, Token);

        // Distinct transactions that wrote a row.
        Task<long> CommitsAsync() => engine.ScalarAsync<long>("SELECT count(DISTINCT xmin::text) FROM lekhika.workflow_executions");
    }

    [Fact]
    public async Task Among_submissions_that_come_together_each_repetition_is_told_apart()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var workflow = await engine.ScalarAsync<Guid>("INSERT INTO lekhika.workflows (definition) VALUES ('{}') RETURNING id");
        var (there, twice, keyed) = (Some() with { IdempotencyKey = "k" }, Some(), Some() with { IdempotencyKey = "k" });
        var stored = Some() with { Definition = null, WorkflowId = workflow };
        await engine.Submitter.SubmitAsync(worker, claim: false, there, Token);
        await using var ahead = await engine.BeginAsync("SELECT FROM lekhika.workers WHERE inc = $1 FOR UPDATE", worker);
        var first = engine.Submitter.SubmitAsync(worker, claim: true, Some(), Token);
        await engine.UntilBlockedAsync();

        // The first is on its way, so these gather.
        var results = new[] { Some(), there, twice, twice, keyed, stored }.Select(submission => engine.Submitter.SubmitAsync(worker, claim: true, submission, Token)).ToList();
        await ahead.RollbackAsync();
        await first;
        var all = await Task.WhenAll(results);

        Assert.Equal([true, false, false, true], [all[0].Created, all[1].Created, all[4].Created, all[5].Created]);
        Assert.Single(all[2..4], static result => result.Created);
        Assert.Equal([there.Id, twice.Id, twice.Id, there.Id, stored.Id], all[1..].Select(static result => result.Id));
        Assert.Equal((true, true), (all[5].WorkflowActive, all[5].DefinitionHash is not null));
        Assert.Equal(4, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.held"));
        await Invariants.AssertPlacesAsync(engine.Db, settled: true, Token);
    }

    [Fact]
    public async Task What_is_wrong_with_one_submission_does_not_touch_those_that_came_with_it()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var submissions = Enumerable.Range(0, 50).Select(i => i switch
        {
            20 => Some() with { Inputs = """{"a": "\u0000"}""" },
            30 => Some() with { Definition = null, WorkflowId = Guid.NewGuid() },
            _ => Some(),
        });
        var tasks = submissions.Select(submission => engine.Submitter.SubmitAsync(worker, claim: true, submission, Token)).ToList();

        Assert.Equal("22P05", (await Assert.ThrowsAsync<PostgresException>(() => tasks[20])).SqlState);
        Assert.Equal("23503", (await Assert.ThrowsAsync<PostgresException>(() => tasks[30])).SqlState);
        foreach (var task in tasks.Where((_, i) => i is not 20 and not 30)) Assert.True((await task).Created);
        Assert.Equal(48, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions"));
    }

    [Fact]
    public async Task Somebody_elses_open_transaction_holds_up_only_the_submission_of_the_same_id()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var contested = Some();
        await using var open = await engine.BeginAsync("INSERT INTO lekhika.workflow_executions (id) VALUES ($1)", contested.Id);

        var held = engine.Submitter.SubmitAsync(worker, claim: true, contested, Token);
        var others = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => engine.Submitter.SubmitAsync(worker, claim: true, Some(), Token)));
        Assert.All(others, static result => Assert.True(result.Created));
        Assert.False(held.IsCompleted);

        await open.CommitAsync();
        Assert.False((await held).Created);
    }

    [Fact]
    public async Task However_many_are_held_up_most_connections_of_the_pool_stay_free()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await using var small = new Database(engine.Db.ConnectionString + ";Maximum Pool Size=6");
        var submitter = new Submitter(small);
        var worker = await engine.EnlistAsync();
        var contested = Enumerable.Range(0, 30).Select(_ => Some()).ToList();
        await using var open = await engine.BeginAsync(
            "INSERT INTO lekhika.workflow_executions (id) SELECT unnest($1::uuid[])", contested.Select(static one => one.Id).ToArray());

        var held = contested.Select(submission => submitter.SubmitAsync(worker, claim: true, submission, Token)).ToList();
        await engine.UntilBlockedAsync();
        await using (await small.OpenAsync(Token))
        await using (await small.OpenAsync(Token))
        {
            // The batches, those sent by themselves and those that wait have the rest.
        }

        Assert.True((await submitter.SubmitAsync(worker, claim: true, Some(), Token)).Created);
        Assert.All(held, static task => Assert.False(task.IsCompleted));
        await open.CommitAsync();
        foreach (var task in held) Assert.False((await task).Created);
    }

    [Fact]
    public async Task Who_waits_to_be_taken_may_leave_and_the_others_are_inserted()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await using var single = new Database(engine.Db.ConnectionString + ";Maximum Pool Size=1");
        var submitter = new Submitter(single);
        var worker = await engine.EnlistAsync();
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Token);

        List<Task<SubmissionResult>> staying;
        Task<SubmissionResult> left;
        await using (await single.OpenAsync(Token))
        {
            // One batch finds no connection, and the places behind it are full.
            staying = [.. Enumerable.Range(0, 400).Select(_ => submitter.SubmitAsync(worker, claim: false, Some(), Token))];
            left = submitter.SubmitAsync(worker, claim: false, Some(), leaving.Token);
            await leaving.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        }

        foreach (var task in staying) Assert.True((await task).Created);
        Assert.Equal(400, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions"));
    }

    [Fact]
    public async Task After_its_end_nothing_more_is_taken_and_what_was_taken_is_inserted()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var submitter = new Submitter(engine.Db.Database);
        var taken = submitter.SubmitAsync(1, claim: false, Some(), Token);
        submitter.Complete();
        Assert.True((await taken).Created);
        await Assert.ThrowsAsync<ChannelClosedException>(() => submitter.SubmitAsync(1, claim: false, Some(), Token));
    }

    [Fact]
    public async Task A_claimed_submission_whose_reply_was_lost_is_found_among_the_holdings()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var result = await engine.Submitter.SubmitAsync(worker, claim: true, Some(), Token);
        var adopted = (await engine.Queue.HoldingsAsync(worker, [], Token)).Single();
        Assert.Equal(new Fence(result.Exec, 1, 1), adopted.Fence);
        Assert.Equal(result.Id, adopted.Id);
    }

    [Fact]
    public async Task A_claimed_submission_is_pinned_to_the_definition_as_it_was()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var workflow = await engine.ScalarAsync<Guid>("INSERT INTO lekhika.workflows (definition) VALUES ('{\"v\": 1}') RETURNING id");
        var result = await engine.Submitter.SubmitAsync(worker, claim: true, Some() with { Definition = null, WorkflowId = workflow }, Token);
        await engine.ExecuteAsync("UPDATE lekhika.workflows SET definition = '{\"v\": 2}'");
        Assert.Equal("1", (await engine.Reader.DefinitionAsync(result.DefinitionHash!.Value, Token))!.Value.GetProperty("v").ToString());
        await engine.FlushAsync(worker, Engine.Release(new Fence(result.Exec, 1, 1)));
        Assert.Equal(result.DefinitionHash, (await engine.ClaimAsync(worker)).Single().DefinitionHash);
    }

    [Fact]
    public async Task Bad_inputs_of_one_submission_do_not_disturb_the_next_one_on_the_connection()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await using var single = new Database(engine.Db.ConnectionString + ";Maximum Pool Size=1");
        var worker = await engine.EnlistAsync();
        var submitter = new Submitter(single);
        for (var i = 0; i < 6; i++)
        {
            var bad = await Assert.ThrowsAsync<PostgresException>(() => submitter.SubmitAsync(worker, claim: false, Some() with { Inputs = """{"a": "\u0000"}""" }, Token));
            Assert.Equal("22P05", bad.SqlState);
            Assert.True((await submitter.SubmitAsync(worker, claim: false, Some(), Token)).Created);
        }
    }
}

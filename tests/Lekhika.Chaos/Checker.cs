using System.Globalization;
using Lekhika.Chaos.Faults;
using Lekhika.Chaos.World;
using Npgsql;

namespace Lekhika.Chaos;

/// <summary>Looks at what is left and tells what it found; true if no invariant was broken.</summary>
internal sealed class Checker(Scene scene, Workload workload, IReadOnlyList<Fault> deck, TextWriter output)
{
    private bool _ok = true;

    public async Task<bool> CheckAsync(bool settled, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(scene.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        Expect("everything came to its end in time", settled ? 0 : 1);
        foreach (var (what, sql) in Audit.Checks)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            Expect(what, (long)(await command.ExecuteScalarAsync(cancellationToken))!);
        }

        var statuses = new Dictionary<Guid, string>();
        await using (var command = new NpgsqlCommand("SELECT id, status FROM lekhika.workflow_executions", connection))
        {
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken)) statuses[reader.GetGuid(0)] = reader.GetString(1);
        }

        Expect("acknowledged executions that are lost", workload.Acknowledged.Keys.Count(id => !statuses.ContainsKey(id)));
        Expect("cancelled executions that nobody cancelled", statuses.Count(one =>
            one.Value == "cancelled" && workload.Acknowledged.ContainsKey(one.Key) && !workload.Cancelled.ContainsKey(one.Key)));
        Expect("effects without an idempotency key", scene.Ledger.Unkeyed);
        Expect("results left in a spool", scene.Daemons.Sum(static daemon => daemon.Spooled));
        await EffectsAsync(connection, cancellationToken);
        foreach (var fault in scene.Daemons.SelectMany(static daemon => daemon.Faults)) Expect($"a daemon failed: {fault}", 1);

        output.WriteLine();
        output.WriteLine("faults");
        foreach (var fault in deck)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {fault.Hits,4}  {fault.Name}{(fault.Tries > fault.Hits ? $" (of {fault.Tries} tries)" : "")}{(fault.Least == 0 ? " (libfaketime is not installed)" : "")}"));
            if (fault.IsMissing) Expect($"'{fault.Name}' struck {fault.Hits} times in {fault.Tries} tries, at least {fault.Least} are wanted", 1);
        }

        await FiguresAsync(connection, statuses, cancellationToken);
        return _ok;
    }

    /// <summary>Every recorded effect was seen outside, and repetitions are told by cause.</summary>
    private async Task EffectsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var unseen = new List<string>();
        await using var command = new NpgsqlCommand(
            """
            SELECT e.id::text || ':' || s.step_key || ':' || s.run
              FROM lekhika.workflow_execution_steps s JOIN lekhika.workflow_executions e USING (seq)
             WHERE s.outcome = 'succeeded' AND (s.output ? 'json') AND (s.output ? 'status') AND (s.output ? 'headers')
               AND s.step_key <> 'join' -- a merge passes on what effects gave
            """, connection);
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                if (!scene.Ledger.Entries.ContainsKey(reader.GetString(0))) unseen.Add(reader.GetString(0));
            }
        }

        Expect($"recorded effects that the ledger never saw, such as {unseen.FirstOrDefault()}", unseen.Count);
        var late = await Repetitions.AfterRecordAsync(connection, scene.Ledger, cancellationToken);
        var ofWaking = late.RemoveAll(effect => Repetitions.IsOfWaking(effect, scene.Wakings));
        Expect($"effects that were begun again after they had been recorded, such as {late.FirstOrDefault().What}", late.Count);
        Expect("effects that daemons began on waking after they had been recorded, more than one for each waking", Math.Max(0, ofWaking - scene.Wakings.Count));
        var entries = scene.Ledger.Entries.Values.ToList();
        var again = entries.Sum(static entry => entry.Times - 1);
        var answerLost = entries.Sum(static entry => Math.Min(entry.AnswersLost, entry.Times - 1));
        output.WriteLine();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"side effects: {entries.Count} keys, {again} repetitions: {answerLost} because the answer was lost, {again - answerLost} because the attempt was (crash, fence, abort), "
            + $"{ofWaking} of these after the record by a daemon that was stopped as it began them"));
    }

    private async Task FiguresAsync(NpgsqlConnection connection, Dictionary<Guid, string> statuses, CancellationToken cancellationToken)
    {
        output.WriteLine();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"executions: {statuses.Count} ({string.Join(", ", statuses.Values.GroupBy(static status => status).OrderBy(static group => group.Key).Select(static group => $"{group.Count()} {group.Key}"))}), "
            + $"{workload.Unknown.Count} insertions without an answer, {workload.Unknown.Keys.Count(statuses.ContainsKey)} of them there"));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"lives of daemons: {scene.Daemons.Sum(static daemon => daemon.Lives)}; executions taken over from the dead: {scene.Daemons.Sum(static daemon => daemon.Logged("Took over"))}, "
            + $"taken back at a start: {scene.Daemons.Sum(static daemon => daemon.Logged("Took back"))}"));

        await SecondRunsAsync(connection, cancellationToken);

        // From the last claim of an incarnation that lost its executions to the claim by the next one.
        await using var command = new NpgsqlCommand(
            """
            SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY s), percentile_cont(0.99) WITHIN GROUP (ORDER BY s)
              FROM (SELECT extract(epoch FROM c.at - w.heartbeat_at) AS s
                      FROM audit.claims c
                      JOIN audit.claims b ON b.exec = c.exec AND b.run = c.run AND b.epoch = c.epoch - 1 AND b.inc <> c.inc
                      JOIN lekhika.workers w ON w.inc = b.inc AND w.revoked
                     WHERE c.at > w.heartbeat_at
                       AND NOT EXISTS (SELECT FROM audit.moves m WHERE m.exec = c.exec AND m.at BETWEEN b.at AND c.at AND m.became IN ('waiting', 'paused'))) x
            """, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (await reader.ReadAsync(cancellationToken) && reader.GetInt64(0) > 0)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"rescues: {reader.GetInt64(0)}, from the last heartbeat of the dead to the next claim p50 {reader.GetDouble(1):0.0} s, p99 {reader.GetDouble(2):0.0} s"));
        }
    }

    private async Task SecondRunsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT count(*), count(*) FILTER (WHERE holder IS NOT NULL) FROM audit.moves WHERE run_after > run_before", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var (opened, held) = (reader.GetInt64(0), reader.GetInt64(1));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"new runs of finished executions: {opened}, {held} of them opened while a daemon still held the run before"));
        Expect("no new run was opened under the hands of a daemon, so the fence of runs was not tried", held > 0 ? 0 : 1);
    }

    private void Expect(string what, long count)
    {
        if (count == 0) return;
        _ok = false;
        output.WriteLine($"BROKEN: {what}: {count}");
    }
}

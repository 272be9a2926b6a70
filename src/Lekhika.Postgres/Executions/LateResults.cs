using Npgsql;

namespace Lekhika.Postgres.Executions;

/// <summary>Offers results of an incarnation that is over: they are stored where nothing else is recorded, and refused where something is.</summary>
public sealed class LateResults(Database database)
{
    private const int Tries = 100;

    /// <summary>Offers the results of one execution.</summary>
    /// <returns>The verdict; <see cref="JournalVerdict.Committed"/> and <see cref="JournalVerdict.Late"/> mean that they are stored.</returns>
    /// <exception cref="NpgsqlException">The database could not be reached.</exception>
    public async Task<JournalReply> OfferAsync(SpooledEntry spooled, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(spooled);
        try
        {
            for (var i = 0; i < Tries; i++)
            {
                await using var connection = await database.OpenAsync(cancellationToken);
                var replies = await FlushCommand.ExecuteAsync(
                    database, connection, spooled.Incarnation, spooled.WorkerId, [spooled.Entry], cancellationToken);
                if (replies[0] is { } reply) return reply;
                await Task.Delay(TimeSpan.FromMilliseconds(50), time, cancellationToken);
            }
        }
        catch (PostgresException exception) when (!Database.IsTransient(exception))
        {
            return new JournalReply(JournalVerdict.BadData, Message: exception.MessageText);
        }

        throw new TimeoutException($"The row of execution {spooled.Entry.Fence.Exec} is locked by somebody else's transaction.");
    }
}

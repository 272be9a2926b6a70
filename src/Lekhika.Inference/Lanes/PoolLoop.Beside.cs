using System.Collections.Immutable;
using Polly.CircuitBreaker;

namespace Lekhika.Inference.Lanes;

// What takes time and therefore runs beside the loop; each reports back as an event.
internal sealed partial class PoolLoop
{
    private void Beside(Task task)
    {
        _beside.RemoveAll(static done => done.IsCompleted);
        _beside.Add(task);
    }

    // Reads the models of an endpoint. Through its circuit, so that while that is open this is the probe that closes it.
    private async Task AskAsync(PoolEndpoint endpoint)
    {
        try
        {
            var models = await endpoint.Guard.ExecuteAsync(
                static async (provider, token) => await provider.ListModelsAsync(token), endpoint.Provider, Stopping);
            await PostAsync(new PoolEvent.Listed(endpoint, models));
        }
        catch (OperationCanceledException) when (Stopping.IsCancellationRequested)
        {
            // The pool stops.
        }
        catch (BrokenCircuitException exception)
        {
            var again = exception.RetryAfter is { } left && left > TimeSpan.FromMilliseconds(100) ? left : TimeSpan.FromMilliseconds(100);
            await PostAsync(new PoolEvent.Unlisted(endpoint, endpoint.Problem ?? exception.Message, again));
        }
        catch (Exception exception)
        {
            await PostAsync(new PoolEvent.Unlisted(endpoint, exception.Message, AskAgain));
        }
    }

    // What is in memory, read as truth: models leave it by themselves, and others load theirs.
    private async Task AskLoadedAsync(PoolEndpoint endpoint)
    {
        ImmutableArray<ModelInfo>? models = null;
        try
        {
            models = await endpoint.Provider.ListLoadedAsync(Stopping);
        }
        catch (Exception exception) when (exception is ModelException || Stopping.IsCancellationRequested)
        {
            // The reading of its models says what is wrong with it; until then what it was asked for stands.
        }

        await PostAsync(new PoolEvent.Loaded(endpoint, models));
    }

    private async Task PreloadAsync(Ticket ticket)
    {
        var endpoint = ticket.Lane?.Owner.Endpoint;
        if (endpoint is null)
            return;
        try
        {
            await endpoint.Provider.PreloadAsync(ticket.Request, Stopping);
        }
        catch (Exception exception) when (exception is ModelException || Stopping.IsCancellationRequested)
        {
            PoolLog.NotPreloaded(_logger, endpoint.Options.Name, ticket.Request.Model, exception.Message);
        }
    }

    private async Task EnterAsync(Lane lane)
    {
        ILaneLease? lease = null;
        try
        {
            lease = await _turn!.EnterAsync(
                lane.Owner.Endpoint.Provider.Address, lane.Owner.Endpoint.Options.Places, lane.Key.ToString(), Stopping);
        }
        catch (OperationCanceledException) when (Stopping.IsCancellationRequested)
        {
            return;
        }
        catch (Exception exception)
        {
            PoolLog.TurnFailed(_logger, exception, lane.Owner.Endpoint.Options.Name, lane.Model);
        }

        if (!await PostAsync(new PoolEvent.Entered(lane, lease)) && lease is not null)
            await GiveBackAsync(lease);
    }

    private async Task GiveBackAsync(ILaneLease lease)
    {
        try
        {
            await lease.DisposeAsync();
        }
        catch (Exception exception)
        {
            PoolLog.TurnFailed(_logger, exception, "-", "-");
        }
    }
}

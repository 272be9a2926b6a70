using System.Diagnostics;

namespace Lekhika.Doubles;

/// <summary>
/// Says one planned reply with a runner: waits for a slot, reads the prompt, sends piece after piece at the wanted speed, strikes the fault,
/// and closes with the counters.
/// </summary>
internal sealed class ReplyRun(HttpContext http, CompletionRequest request, ReplyPlan plan, IWireFormat format, OllamaDoubleOptions options, StatsRecorder stats)
{
    private static readonly TimeSpan Worthwhile = TimeSpan.FromMilliseconds(1);
    private readonly TimeProvider _time = options.TimeProvider;
    private readonly bool _extra = plan.Kind == FaultKind.ExtraFields;

    /// <summary>Nothing more is to be said: the reply ended as the fault wanted it.</summary>
    private bool _over;

    /// <exception cref="ApiException">The reply failed before anything of it was sent.</exception>
    public async Task SayAsync(Runner runner, long started, long scheduled, CancellationToken cancellationToken)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, runner.Killed);
        var writer = new ReplyWriter(http, format.StreamType, plan.Fault, _time);
        try
        {
            await SlotAsync(runner, linked.Token);
            try
            {
                await SayAsync(runner, writer, started, scheduled, linked.Token);
            }
            finally
            {
                stats.Generating.Leave();
                runner.Slots.Release();
            }
        }
        catch (OperationCanceledException) when (runner.Killed.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            await FailAsync(writer, ApiException.RunnerGone(), cancellationToken);
        }
        catch (ApiException error) when (writer.Began)
        {
            await FailAsync(writer, error, cancellationToken);
        }
    }

    private async Task SlotAsync(Runner runner, CancellationToken cancellationToken)
    {
        stats.Waiting.Enter();
        try
        {
            await runner.Slots.WaitAsync(cancellationToken);
        }
        finally
        {
            stats.Waiting.Leave();
        }
        stats.Generating.Enter();
    }

    private async Task SayAsync(Runner runner, ReplyWriter writer, long started, long scheduled, CancellationToken cancellationToken)
    {
        var began = _time.GetTimestamp();
        if (plan.Kind == FaultKind.SlowFirst)
            await DelayAsync(plan.Fault!.Delay ?? TimeSpan.FromSeconds(2), cancellationToken);
        if (options.PromptTokensPerSecond > 0)
            await DelayAsync(TimeSpan.FromSeconds(plan.PromptTokens / options.PromptTokensPerSecond), cancellationToken);
        var read = _time.GetTimestamp();
        var tokens = await PiecesAsync(runner, writer, cancellationToken);
        if (_over)
            return;
        var end = _time.GetTimestamp();
        var summary = new ReplySummary(
            plan.DoneReason,
            Nanoseconds(started, end),
            Nanoseconds(started, scheduled),
            plan.PromptTokens,
            Math.Max(Nanoseconds(began, read), 1000),
            tokens,
            tokens == 0 ? 0 : Math.Max(Nanoseconds(read, end), 1000));
        await EndAsync(writer, summary, cancellationToken);
        stats.Completed(tokens);
    }

    private async Task<int> PiecesAsync(Runner runner, ReplyWriter writer, CancellationToken cancellationToken)
    {
        var start = _time.GetTimestamp();
        var all = plan.Thinking.Count + plan.Pieces.Count;
        var tokens = 0;
        var held = plan.Kind == FaultKind.FinalContent && all > 0 ? 1 : 0;
        for (var i = 0; i < all && !_over; i++)
        {
            if (i == plan.FaultAfter)
                await StrikeAsync(runner, writer, cancellationToken);
            if (_over)
                return tokens;
            var thinking = i < plan.Thinking.Count;
            var text = thinking ? plan.Thinking[i] : plan.Pieces[i - plan.Thinking.Count];
            tokens += Pieces.Cost(text);
            await runner.RunningAsync(cancellationToken);
            await PaceAsync(start, tokens, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            if (!request.Stream || i >= all - held)
                continue;
            var flush = plan.Speed > 0 && 1 / plan.Speed >= Worthwhile.TotalSeconds;
            var piece = thinking ? new ReplyPiece("", text) : new ReplyPiece(text);
            await writer.WriteAsync(format.Piece(piece, _extra), flush || i == 0, cancellationToken);
        }
        if (plan.ToolCalls.Count > 0)
        {
            tokens += plan.SilentTokens;
            await PaceAsync(start, tokens, cancellationToken);
        }
        if (all <= plan.FaultAfter || plan.Kind is FaultKind.Repeat or FaultKind.RepeatError)
            await StrikeAsync(runner, writer, cancellationToken, atEnd: true);
        return tokens;
    }

    /// <summary>Waits until the token is due; the due times come from the start, so late timers do not add up.</summary>
    private async ValueTask PaceAsync(long start, int tokens, CancellationToken cancellationToken)
    {
        if (plan.Speed <= 0)
            return;
        var early = TimeSpan.FromSeconds(tokens / plan.Speed) - _time.GetElapsedTime(start);
        if (early >= Worthwhile)
            await Task.Delay(early, _time, cancellationToken);
    }

    private async Task StrikeAsync(Runner runner, ReplyWriter writer, CancellationToken cancellationToken, bool atEnd = false)
    {
        switch (plan.Kind)
        {
            case FaultKind.Eof:
            case FaultKind.Repeat when atEnd:
                await VanishAsync(writer, cancellationToken);
                break;
            case FaultKind.RepeatError when atEnd:
                throw new ApiException(500, plan.Fault!.Message ?? "model output stopped: the same token was repeated too often");
            case FaultKind.MidstreamError:
                throw plan.Fault!.Message is { } text ? new ApiException(500, text) : ApiException.RunnerGone();
            case FaultKind.RunnerCrash:
                runner.Kill();
                cancellationToken.ThrowIfCancellationRequested();
                break;
            case FaultKind.Reset or FaultKind.Cut:
                await writer.DrainAsync(cancellationToken);
                _over = true;
                if (plan.Kind == FaultKind.Reset)
                    Connection.Reset(http);
                else
                    Connection.Cut(http);
                break;
            case FaultKind.Stall:
                if (writer.Began)
                    await writer.FlushAsync(cancellationToken);
                await DelayAsync(plan.Fault!.Delay ?? Timeout.InfiniteTimeSpan, cancellationToken);
                break;
            case FaultKind.GarbageLine when request.Stream:
                await writer.WriteAsync([.. System.Text.Encoding.UTF8.GetBytes(plan.Fault!.Message ?? "<html>upstream timed out</html>"), (byte)'\n'], true, cancellationToken);
                break;
        }
    }

    /// <summary>Ends with 200 and without a done line.</summary>
    private async Task VanishAsync(ReplyWriter writer, CancellationToken cancellationToken)
    {
        _over = true;
        if (!request.Stream)
            await PlainAsync(null, cancellationToken);
        else if (writer.Began)
            await writer.FlushAsync(cancellationToken);
        else
            await writer.WriteAsync([], true, cancellationToken);
    }

    private async Task EndAsync(ReplyWriter writer, ReplySummary summary, CancellationToken cancellationToken)
    {
        if (!request.Stream)
        {
            await PlainAsync(summary, cancellationToken);
            return;
        }
        var last = new ReplyPiece(plan.Kind == FaultKind.FinalContent && plan.Pieces.Count > 0 ? plan.Pieces[^1] : "");
        if (plan.ToolCalls.Count > 0 && plan.ToolCallsLast)
            last = last with { ToolCalls = plan.ToolCalls };
        else if (plan.ToolCalls.Count > 0)
            await writer.WriteAsync(format.Piece(new ReplyPiece("", null, plan.ToolCalls), _extra), true, cancellationToken);
        var lines = format.Final(summary, last, _extra);
        await writer.WriteAsync(plan.Kind == FaultKind.NoNewline ? lines[..^1] : lines, true, cancellationToken);
        if (plan.Kind == FaultKind.Coalesce)
            await writer.FlushAsync(cancellationToken);
    }

    private Task PlainAsync(ReplySummary? summary, CancellationToken cancellationToken)
    {
        var said = summary is null && plan.Kind == FaultKind.Eof ? plan.Pieces.Take(plan.FaultAfter).ToList() : plan.Pieces;
        var whole = new ReplyPiece(
            string.Concat(said),
            plan.Thinking.Count > 0 ? string.Concat(plan.Thinking) : null,
            plan.ToolCalls.Count > 0 ? plan.ToolCalls : null);
        return HttpReply.WriteAsync(http, 200, format.PlainType, format.Whole(whole, said, summary, _extra), cancellationToken);
    }

    private async Task FailAsync(ReplyWriter writer, ApiException error, CancellationToken cancellationToken)
    {
        stats.Error();
        if (writer.Began)
            await writer.WriteAsync(format.ErrorLine(error.Message), true, cancellationToken);
        else
            await HttpReply.WriteAsync(http, error.Status, format.PlainType, format.Error(error.Status, error.Message), cancellationToken);
    }

    private Task DelayAsync(TimeSpan time, CancellationToken cancellationToken) => Task.Delay(time, _time, cancellationToken);

    private long Nanoseconds(long from, long to) => (long)(_time.GetElapsedTime(from, to).TotalNanoseconds + (Stopwatch.GetTimestamp() % 100));
}

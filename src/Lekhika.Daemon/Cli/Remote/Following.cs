using System.Globalization;
using System.Text.Json;
using Lekhika.Daemon.Hosting;

namespace Lekhika.Daemon.Cli.Remote;

/// <summary>Waits for an execution's end, and says on standard error how far it is.</summary>
internal sealed class Following(RemoteSession session)
{
    private const string Fields = "?fields=status,progress,nodeName,message,error,result,tokens,words,duration,waitingFor";
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);
    private string? _said;

    /// <summary>Waits for the end.</summary>
    /// <param name="id">The execution.</param>
    /// <param name="isShown">Whether to say how far it is.</param>
    /// <param name="cancellationToken">Gives up; the execution goes on.</param>
    /// <returns>The exit code: whether it completed.</returns>
    public async Task<int> EndAsync(string id, bool isShown, CancellationToken cancellationToken)
    {
        var pause = First;
        var silent = 0;
        while (true)
        {
            JsonElement reply;
            try
            {
                reply = await session.Daemon.GetAsync($"/status/{RemoteCommands.Escape(id)}{Fields}", cancellationToken);
                silent = 0;
            }
            catch (RemoteException exception) when (exception.ExitCode == ExitCodes.Unavailable && ++silent < 60)
            {
                // It restarts, perhaps: what it had acknowledged is there afterwards.
                await Task.Delay(Longest, session.Time, cancellationToken);
                continue;
            }

            var status = reply.GetProperty("status");
            var word = status.Text("status") ?? "";
            if (isShown) Show(status, word);
            if (word is "completed" or "failed" or "cancelled")
            {
                if (isShown && session.Context.HasErrorCursor) session.Context.Error.WriteLine();
                Tell(reply, status, word);
                return word == "completed" ? ExitCodes.Success : ExitCodes.Failure;
            }

            await Task.Delay(pause, session.Time, cancellationToken);
            pause = TimeSpan.FromMilliseconds(Math.Min(Longest.TotalMilliseconds, pause.TotalMilliseconds * 1.5));
        }
    }

    private void Show(JsonElement status, string word)
    {
        var text = JsonReading.Plain(string.Create(
            CultureInfo.InvariantCulture,
            $"{status.Number("progress") ?? 0,5:0.0} %  {word,-9}  {status.Text("message")}{(status.Number("tokens") is > 0 and var tokens ? $"  {tokens} tokens" : "")}"));
        if (text == _said) return;
        _said = text;
        if (session.Context.HasErrorCursor)
        {
            var width = Math.Max(10, session.Context.ErrorWidth - 1);
            session.Context.Error.Write("\r\e[2K" + (text.Length > width ? text[..width] : text));
        }
        else
        {
            session.Context.Error.WriteLine(text);
        }
    }

    private void Tell(JsonElement reply, JsonElement status, string word)
    {
        if (session.Json)
        {
            session.WriteJson(reply);
        }
        else if (word == "completed")
        {
            if (status.Member("result") is { } result) session.Context.Output.Write(result.GetRawText() + "\n");
        }
        else
        {
            ProblemReport.Error(session.Context, $"the execution is {word}: {JsonReading.Plain(status.Text("error"))}");
        }
    }
}

namespace Lekhika.Doubles;

/// <summary>An error the server answers with: a status and the text of <c>{"error":"…"}</c>.</summary>
internal sealed class ApiException(int status, string message) : Exception(message)
{
    public int Status { get; } = status;

    public static ApiException NotFound(string model) => new(404, $"model '{model}' not found");

    public static ApiException RunnerGone() => new(500, "an error was encountered while running the model: unexpected EOF");

    public static ApiException Busy() => new(503, "server busy, please try again.  maximum pending requests exceeded");
}

namespace Lekhika.Daemon.Http;

/// <summary>Ids of executions in paths and bodies.</summary>
internal static class RouteId
{
    /// <summary>The execution that the path names.</summary>
    /// <exception cref="RequestException">It is no UUID.</exception>
    public static Guid Of(HttpContext context)
    {
        var text = context.Request.RouteValues["id"] as string;
        return TryParse(text, out var id)
            ? id
            : throw new RequestException(
                StatusCodes.Status400BadRequest,
                HttpErrorCodes.InvalidId,
                "The id in the path is not a UUID; expected one such as 0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e.");
    }

    public static bool TryParse(string? text, out Guid id) => Guid.TryParseExact(text, "D", out id) || Guid.TryParseExact(text, "N", out id);
}

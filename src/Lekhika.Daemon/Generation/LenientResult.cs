using System.Text.Json;

namespace Lekhika.Daemon.Generation;

/// <summary>What a lenient reading gave.</summary>
/// <param name="Value">The value; null if it could not be read.</param>
/// <param name="End">Where reading ended.</param>
/// <param name="Repairs">What was put right; empty if it was proper JSON.</param>
/// <param name="Problem">Why it could not be read.</param>
/// <param name="IsTruncated">Whether that was the end of the text.</param>
internal sealed record LenientResult(JsonElement? Value, int End, IReadOnlyList<string> Repairs, string? Problem, bool IsTruncated);

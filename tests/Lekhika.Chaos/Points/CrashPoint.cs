namespace Lekhika.Chaos.Points;

/// <summary>Where a daemon is killed.</summary>
/// <param name="Message">Which of the messages that it sends to the database, counted from 1 at its start.</param>
/// <param name="Before">Whether that message is never passed on; else it is, and its answer is not.</param>
internal readonly record struct CrashPoint(int Message, bool Before);

/// <summary>What came of one pass of the scenario.</summary>
/// <param name="Messages">How many messages the daemon had sent by the end of its (first) life.</param>
/// <param name="Type">Type of the message it was killed at; null if it never sent that one.</param>
/// <param name="Problems">What was broken.</param>
internal sealed record PassResult(int Messages, byte? Type, IReadOnlyList<string> Problems);

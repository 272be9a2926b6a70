namespace Lekhika.Workflows.Expressions;

/// <summary>What a function does. No argument is an error; what comes back may be one.</summary>
internal delegate CelValue CelFunctionBody(ref CelFrame frame, ReadOnlySpan<CelValue> args);

/// <summary>A function and how many arguments it takes; called on a value, that is the first of them.</summary>
internal sealed record CelFunction(string Name, int MinArgs, int MaxArgs, CelFunctionBody Body);

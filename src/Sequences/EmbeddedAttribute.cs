namespace Microsoft.CodeAnalysis;

/// <summary>Known to the compiler by its name: a type that is marked with it exists for its own assembly only.</summary>
[Embedded]
[AttributeUsage(AttributeTargets.All)]
internal sealed class EmbeddedAttribute : Attribute;

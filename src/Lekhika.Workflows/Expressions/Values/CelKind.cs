namespace Lekhika.Workflows.Expressions;

/// <summary>The kinds of values that expressions work with.</summary>
public enum CelKind
{
    /// <summary><c>null</c>.</summary>
    Null,

    /// <summary><c>true</c> or <c>false</c>.</summary>
    Bool,

    /// <summary>A signed 64-bit integer.</summary>
    Int,

    /// <summary>An unsigned 64-bit integer.</summary>
    UInt,

    /// <summary>An IEEE 754 double.</summary>
    Double,

    /// <summary>Unicode text.</summary>
    String,

    /// <summary>A sequence of bytes.</summary>
    Bytes,

    /// <summary>A sequence of values.</summary>
    List,

    /// <summary>Values by key; keys are strings, integers or booleans.</summary>
    Map,

    /// <summary>A point in time between the years 1 and 9999, in nanoseconds.</summary>
    Timestamp,

    /// <summary>A length of time up to some 10 000 years, in nanoseconds.</summary>
    Duration,

    /// <summary>A type as a value, such as <c>int</c>.</summary>
    Type,
}

namespace Lekhika.Daemon.Dashboard;

/// <summary>What who signed in may do.</summary>
internal enum Role
{
    /// <summary>Reads everything and changes nothing.</summary>
    Viewer,

    /// <summary>Reads and acts.</summary>
    Operator,
}

internal static class RoleNames
{
    /// <summary>The word for it in replies.</summary>
    public static string Name(this Role role) => role == Role.Operator ? "operator" : "viewer";
}

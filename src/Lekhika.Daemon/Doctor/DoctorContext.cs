namespace Lekhika.Daemon.Doctor;

/// <summary>What the checks know of where they run.</summary>
internal sealed record DoctorContext
{
    /// <summary>The unit of the configuration file; null if none runs with it.</summary>
    public string? UnitName { get; init; }

    /// <summary>What systemd said of it; null if it was not or could not be asked.</summary>
    public ServiceUnit? Unit { get; init; }

    /// <summary>Whether the configuration names the worker, so that another name is another worker for certain.</summary>
    public bool IsWorkerNamed { get; init; }

    /// <summary>The beginning of the secret's digest; empty without a secret.</summary>
    public string Fingerprint { get; init; } = "";

    /// <summary>How long the test execution may take.</summary>
    public TimeSpan RunPatience { get; init; } = TimeSpan.FromMinutes(6);

    public required TimeProvider Time { get; init; }
}

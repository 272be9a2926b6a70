namespace Lekhika.Workflows.Execution;

/// <summary>What running a node does to the world; it decides what must be durable before what.</summary>
public enum EffectClass
{
    /// <summary>Computes from what is there; may be repeated freely, its record rides along with the next commit.</summary>
    Pure,

    /// <summary>Acts outside or is costly (model, HTTP); its outcome is committed before an effect that depends on it starts.</summary>
    Effect,

    /// <summary>Waits for a time or a signal; holds neither slot nor memory meanwhile.</summary>
    Wait,

    /// <summary>Runs a body graph once per iteration.</summary>
    Scope,
}

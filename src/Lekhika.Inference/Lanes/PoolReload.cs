namespace Lekhika.Inference.Lanes;

/// <summary>What a change of options needs: an endpoint whose connections stay as they are keeps its lanes, counters and health.</summary>
internal static class PoolReload
{
    public static bool CanStay(ModelEndpointOptions old, ModelEndpointOptions wanted, ModelPoolOptions oldPool, ModelPoolOptions pool) =>
        string.Equals(old.Name, wanted.Name, StringComparison.OrdinalIgnoreCase)
        && old.Kind == wanted.Kind && old.BaseUrl == wanted.BaseUrl && old.ApiKey == wanted.ApiKey
        && oldPool.Timeouts == pool.Timeouts && oldPool.KeepAlive == pool.KeepAlive && oldPool.MaxLineBytes == pool.MaxLineBytes
        && oldPool.MaxReplyLength == pool.MaxReplyLength && oldPool.SetAsideFor == pool.SetAsideFor;
}

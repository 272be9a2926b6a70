using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Diagnostics.Metrics;
using Lekhika.Daemon.Diagnostics.Tracing;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Lekhika.Daemon.Diagnostics;

/// <summary>
/// Sends traces and metrics to an OpenTelemetry collector, if one is configured (telemetry.otlp_endpoint, else OTEL_EXPORTER_OTLP_ENDPOINT). Port 4317
/// is spoken to in gRPC, any other over HTTP in protobuf, unless OTEL_EXPORTER_OTLP_PROTOCOL says which. Sending happens in the SDK's own threads: a
/// collector that is away costs dropped telemetry and nothing else.
/// </summary>
internal sealed class OtlpExport : IDisposable
{
    private const int GrpcPort = 4317;
    private const int LongestFlush = 2000;
    private readonly TracerProvider _traces;
    private readonly MeterProvider _metrics;

    private OtlpExport(TracerProvider traces, MeterProvider metrics) => (_traces, _metrics) = (traces, metrics);

    /// <summary>Begins sending; null if nothing is configured.</summary>
    /// <param name="options">The configuration.</param>
    /// <param name="variable">The environment.</param>
    /// <param name="version">Version of this build.</param>
    /// <param name="workerId">Which worker this is.</param>
    public static OtlpExport? Start(TelemetryOptions options, Func<string, string?> variable, string version, string workerId)
    {
        if (string.Equals(variable("OTEL_SDK_DISABLED"), "true", StringComparison.OrdinalIgnoreCase)) return null;
        var endpoint = options.OtlpEndpoint
            ?? (Uri.TryCreate(variable("OTEL_EXPORTER_OTLP_ENDPOINT"), UriKind.Absolute, out var standard) && standard.Scheme is "http" or "https" ? standard : null);
        if (endpoint is null) return null;
        var protocol = ProtocolOf(endpoint, variable("OTEL_EXPORTER_OTLP_PROTOCOL"));
        var resource = ResourceBuilder.CreateEmpty()
            .AddService("lekhika-daemon", serviceVersion: version, autoGenerateServiceInstanceId: false, serviceInstanceId: workerId)
            .AddEnvironmentVariableDetector();
        var traces = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .AddSource(ExecutionTrace.SourceName)
            .AddOtlpExporter(exporter => Point(exporter, endpoint, protocol, "v1/traces"))
            .Build();
        var metrics = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter(Instruments.MeterName, DaemonGauges.MeterName)
            .AddOtlpExporter(exporter => Point(exporter, endpoint, protocol, "v1/metrics"))
            .Build();
        return new OtlpExport(traces, metrics);
    }

    public void Dispose()
    {
        _traces.Shutdown(LongestFlush);
        _metrics.Shutdown(LongestFlush);
        _traces.Dispose();
        _metrics.Dispose();
    }

    /// <summary>What an endpoint is spoken to in.</summary>
    internal static OtlpExportProtocol ProtocolOf(Uri endpoint, string? wanted) => wanted switch
    {
        "grpc" => OtlpExportProtocol.Grpc,
        "http/protobuf" => OtlpExportProtocol.HttpProtobuf,
        _ => endpoint.Port == GrpcPort ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf,
    };

    // Over HTTP the exporter takes the whole path; what people configure is the base, as in the standard variable.
    private static void Point(OtlpExporterOptions exporter, Uri endpoint, OtlpExportProtocol protocol, string path)
    {
        exporter.Protocol = protocol;
        exporter.Endpoint = protocol == OtlpExportProtocol.Grpc || endpoint.AbsolutePath.EndsWith(path, StringComparison.Ordinal)
            ? endpoint
            : new Uri(endpoint.ToString().TrimEnd('/') + "/" + path);
    }
}

using System.Text;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>Traces and metrics by OTLP.</summary>
public sealed class TelemetryTests(Servers servers)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_execution_is_a_trace_and_its_model_calls_follow_the_conventions(bool byVariable)
    {
        await using var collector = await OtlpCollector.StartAsync();
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync(setup =>
        {
            if (byVariable) setup.Environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Url;
            else setup.Settings["telemetry.otlp_endpoint"] = collector.Url;
        });
        var id = Guid.NewGuid();
        var body = $$"""{"executionId":"{{id}}","workflow":{{Flows.OneModel(Flows.Say("hello"))}}}""";
        using var request = new HttpRequestMessage(HttpMethod.Post, "execute") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        if (byVariable) request.Headers.Add("traceparent", $"00-{Trace}-00f067aa0ba902b7-01");
        using (var response = await daemon.Http.SendAsync(request, Cancellation)) Assert.Equal(202, (int)response.StatusCode);
        Assert.Equal("completed", (await scene.EndAsync(id)).Status);
        await collector.UntilAsync(
            "/v1/traces",
            byVariable ? Convert.FromHexString(Trace) : id.ToByteArray(bigEndian: true),
            Bytes(id.ToString()), Bytes("lekhika.node.id"), Bytes("chat llama3.2"), Bytes("gen_ai.operation.name"), Bytes("gen_ai.request.model"),
            Bytes("gen_ai.usage.input_tokens"), Bytes("gen_ai.usage.output_tokens"), Bytes("lekhika-daemon"));

        // Metrics go out once a minute, and when the daemon stops.
        await daemon.StopAsync(Cancellation);
        await collector.UntilAsync("/v1/metrics", Bytes("lekhika.executions.finished"), Bytes("lekhika.queue.ready"));
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}

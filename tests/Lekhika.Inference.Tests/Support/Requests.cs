using System.Text.Json;

namespace Lekhika.Inference.Tests.Support;

internal static class Requests
{
    public static ModelRequest For(string model = "m", string prompt = "hi") => new() { Model = model, Messages = [new("user", prompt)] };

    public static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;
}

using System.Collections.Immutable;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Lekhika.Daemon.Nodes.Secrets;

namespace Lekhika.Daemon.Nodes.Calls;

/// <summary>Makes a call of the configuration of an http node.</summary>
internal static class HttpRequestReader
{
    /// <summary>Headers that belong to the connection, or say where the call goes.</summary>
    private static readonly string[] OwnHeaders =
        ["connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"];

    /// <returns>The call, or what is wrong with the configuration.</returns>
    public static (OutboundRequest? Request, string Problem) Read(JsonElement config, string idempotencyKey, SecretUse secrets)
    {
        var (url, shown, wrong) = Address(config.Text("url")?.Trim() ?? "", secrets);
        if (url is null) return (null, wrong);
        config = secrets.Fill(config);
        var headers = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        if (Headers(config, headers) is { } problem) return (null, problem);

        var method = HttpMethod.Parse(config.Text("method") ?? "GET");
        var (body, contentType) = Body(config, headers);
        if (contentType is not null && !Has(headers, "Content-Type")) headers.Add(new("Content-Type", contentType));
        if (url.UserInfo.Length > 0 && !Has(headers, "Authorization")) headers.Add(new("Authorization", Basic(url)));
        if (!Has(headers, "Idempotency-Key")) headers.Add(new("Idempotency-Key", idempotencyKey));
        if (!Has(headers, "User-Agent")) headers.Add(new("User-Agent", "lekhika-daemon"));
        return (new OutboundRequest(method, WithQuery(url, config), headers.ToImmutable(), body)
        {
            ShownUrl = shown,
            Objection = secrets.IsEmpty ? null : secrets.Objection,
        }, "");
    }

    /// <summary>The address, and how it is shown if it holds a secret. A secret may be the whole of it, or stand in it behind the host, or be its user or password.</summary>
    private static (Uri? Url, string? Shown, string Problem) Address(string text, SecretUse secrets)
    {
        var isWhole = secrets.Begins(text);
        if (!Uri.TryCreate(isWhole ? secrets.Fill(text) : text, UriKind.Absolute, out var url))
        {
            return (null, null, isWhole
                ? "config.url begins with a secret whose value is no absolute address such as https://api.example.com/items"
                : "config.url is no absolute address such as https://api.example.com/items");
        }

        if (url.Scheme is not ("http" or "https"))
            return (null, null, isWhole ? "config.url begins with a secret whose value is no address of http or https" : $"config.url begins with {url.Scheme}:, but only http and https may be called");
        if (secrets.IsIn(url.Host)) return (null, null, "config.url takes a part of its host from a secret; write the host, or take the whole address from the secret");
        if (isWhole)
        {
            secrets.AlsoMask(url);
            return (url, url.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped) + "/…", "");
        }

        return secrets.IsIn(url.AbsoluteUri)
            ? (new Uri(secrets.FillEscaped(url.AbsoluteUri)), secrets.Shown(OutboundRequest.Shown(url)), "")
            : (url, null, "");
    }

    /// <summary>The value of an Authorization header for the user and password in an address.</summary>
    public static string Basic(Uri url) => "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(url.UserInfo)));

    private static string? Headers(JsonElement config, ImmutableArray<KeyValuePair<string, string>>.Builder headers)
    {
        if (config.Get("headers") is not { } given) return null;
        if (given.ValueKind != JsonValueKind.Object) return "config.headers must be an object of names and values";
        foreach (var property in given.EnumerateObject())
        {
            if (property.Value.ValueKind == JsonValueKind.Null) continue;
            var name = property.Name;
            if (name.Length == 0 || !name.All(static character => char.IsAsciiLetterOrDigit(character) || "!#$%&'*+-.^_`|~".Contains(character, StringComparison.Ordinal)))
                return $"'{name}' in config.headers is no name of a header";
            if (OwnHeaders.Contains(name, StringComparer.OrdinalIgnoreCase)) return $"config.headers sets {name}, which belongs to the connection; leave it out";
            if (property.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Array) return $"the value of {name} in config.headers must be a text";
            var value = NodeConfig.TextOf(property.Value).Trim();
            if (value.AsSpan().IndexOfAny('\r', '\n', '\0') >= 0) return $"the value of {name} in config.headers holds a line break, which a header cannot";
            headers.Add(new(name, value));
        }

        return null;
    }

    private static (ReadOnlyMemory<byte>? Body, string? ContentType) Body(JsonElement config, ImmutableArray<KeyValuePair<string, string>>.Builder headers)
    {
        if (config.Get("body") is not { } body) return (null, null);
        if (body.ValueKind == JsonValueKind.String) return (Encoding.UTF8.GetBytes(body.GetString()!), "text/plain; charset=utf-8");
        var type = headers.FirstOrDefault(static header => header.Key.Equals("Content-Type", StringComparison.OrdinalIgnoreCase)).Value;
        if (body.ValueKind == JsonValueKind.Object && MediaTypeHeaderValue.TryParse(type, out var media)
            && string.Equals(media.MediaType, "application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase))
        {
            return (Encoding.UTF8.GetBytes(Pairs(body)), type);
        }

        return (Encoding.UTF8.GetBytes(body.GetRawText()), "application/json");
    }

    private static Uri WithQuery(Uri url, JsonElement config)
    {
        var address = new UriBuilder(url) { UserName = "", Password = "", Fragment = "" };
        if (config.Get("query") is { ValueKind: JsonValueKind.Object } query && Pairs(query) is { Length: > 0 } added)
        {
            var there = address.Query.TrimStart('?');
            address.Query = there.Length == 0 ? added : $"{there}&{added}";
        }

        return address.Uri;
    }

    /// <summary>Names and values as in a query; a list gives its name once per item, null nothing.</summary>
    private static string Pairs(JsonElement values)
    {
        var pairs = new List<string>();
        foreach (var property in values.EnumerateObject())
        {
            if (property.Value.ValueKind == JsonValueKind.Null) continue;
            IEnumerable<JsonElement> items = property.Value.ValueKind == JsonValueKind.Array ? property.Value.EnumerateArray() : [property.Value];
            foreach (var item in items) pairs.Add($"{Uri.EscapeDataString(property.Name)}={Uri.EscapeDataString(NodeConfig.TextOf(item))}");
        }

        return string.Join('&', pairs);
    }

    private static bool Has(ImmutableArray<KeyValuePair<string, string>>.Builder headers, string name) =>
        headers.Any(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase));
}

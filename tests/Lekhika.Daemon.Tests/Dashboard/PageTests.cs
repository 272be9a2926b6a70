using System.IO.Compression;
using System.Net;
using System.Text.RegularExpressions;
using Lekhika.Daemon.Dashboard;
using Lekhika.Daemon.Tests.Http.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.Dashboard;

public sealed partial class PageTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_page_and_all_that_it_names_is_served_without_a_secret_and_stays_below_150_KB()
    {
        await using var server = await TestServer.StartAsync();
        using var client = server.NewClient(withSecret: false);
        var open = new Queue<string>(["/"]);
        var seen = new HashSet<string>(StringComparer.Ordinal) { "/" };
        var total = 0L;
        while (open.TryDequeue(out var path))
        {
            using var response = await client.GetAsync(new Uri(path, UriKind.Relative), Cancellation);
            Assert.True(response.IsSuccessStatusCode, $"{path}: {response.StatusCode}");
            var text = await response.Content.ReadAsStringAsync(Cancellation);
            total += response.Content.Headers.ContentLength!.Value;
            foreach (Match match in Named().Matches(text))
            {
                var name = "/ui/" + match.Groups["name"].Value;
                if (seen.Add(name)) open.Enqueue(name);
            }
        }

        Assert.Contains("/ui/execution.js", seen);
        Assert.InRange(total, 50_000, 150_000);
    }

    [Fact]
    public async Task The_headers_allow_nothing_from_elsewhere_and_nothing_inline()
    {
        await using var server = await TestServer.StartAsync();
        using var client = server.NewClient(withSecret: false);
        using var response = await client.GetAsync(new Uri("/", UriKind.Relative), Cancellation);
        Assert.Equal("text/html", response.Content.Headers.ContentType?.MediaType);
        var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("http", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal("no-referrer", Assert.Single(response.Headers.GetValues("Referrer-Policy")));
        var page = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.DoesNotContain("<style", page, StringComparison.Ordinal);
        Assert.DoesNotContain(" style=", page, StringComparison.Ordinal);
        Assert.DoesNotMatch("<script[^>]*>[^<]", page);
    }

    [Fact]
    public async Task No_file_of_the_page_can_turn_text_into_markup_or_code()
    {
        await using var server = await TestServer.StartAsync();
        using var client = server.NewClient(withSecret: false);
        foreach (var name in typeof(Sessions).Assembly.GetManifestResourceNames().Where(static name => name.EndsWith(".js", StringComparison.Ordinal)))
        {
            var text = await client.GetStringAsync(new Uri($"/ui/{name["page/".Length..]}", UriKind.Relative), Cancellation);
            Assert.DoesNotMatch(@"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|srcdoc|setHTML", text);
            Assert.DoesNotMatch(@"https?://(?!www\.w3\.org)", text);
        }
    }

    [Theory]
    [InlineData("br", "br")]
    [InlineData("gzip, deflate", "gzip")]
    [InlineData("gzip, br;q=0", "gzip")]
    [InlineData("identity", null)]
    public async Task It_is_sent_compressed_to_those_who_take_that_and_once(string accepts, string? encoding)
    {
        await using var server = await TestServer.StartAsync();
        using var client = server.NewClient(withSecret: false);
        client.DefaultRequestHeaders.TryAddWithoutValidation("Accept-Encoding", accepts);
        using var response = await client.GetAsync(new Uri("/ui/app.css", UriKind.Relative), Cancellation);
        Assert.Equal(encoding, response.Content.Headers.ContentEncoding.SingleOrDefault());
        await using var sent = await response.Content.ReadAsStreamAsync(Cancellation);
        await using var plain = encoding switch { "br" => new BrotliStream(sent, CompressionMode.Decompress), "gzip" => new GZipStream(sent, CompressionMode.Decompress), _ => sent };
        using var reader = new StreamReader(plain);
        Assert.Contains(":root", await reader.ReadToEndAsync(Cancellation), StringComparison.Ordinal);

        client.DefaultRequestHeaders.Add("If-None-Match", response.Headers.ETag!.ToString());
        using var again = await client.GetAsync(new Uri("/ui/app.css", UriKind.Relative), Cancellation);
        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_a_404_in_JSON()
    {
        await using var server = await TestServer.StartAsync();
        using var client = server.NewClient(withSecret: false);
        foreach (var path in (string[])["/ui/none.js", "/ui/..%2Findex.html", "/ui/%2e%2e/status"])
        {
            using var response = await client.GetAsync(new Uri(path, UriKind.Relative), Cancellation);
            Assert.True(response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Unauthorized, $"{path}: {response.StatusCode}");
        }
    }

    [GeneratedRegex("""(?:"ui/|'\./)(?<name>[\w.-]+)["']""", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Named();
}

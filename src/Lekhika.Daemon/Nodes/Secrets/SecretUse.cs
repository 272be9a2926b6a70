using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Nodes.Calls;
using Lekhika.Workflows;

namespace Lekhika.Daemon.Nodes.Secrets;

/// <summary>The secrets that one attempt of a node uses, opened for it.</summary>
internal sealed class SecretUse
{
    /// <summary>Of a node that uses none.</summary>
    public static readonly SecretUse None = new([]);

    private readonly ImmutableArray<(SecretRule Rule, string StandIn, string Value)> _open;
    private readonly SecretMask _mask;

    private SecretUse(ImmutableArray<(SecretRule Rule, string StandIn, string Value)> open)
    {
        _open = open;
        _mask = new SecretMask(open.Select(static secret => secret.Value));
    }

    public bool IsEmpty => _open.IsEmpty;

    /// <summary>Opens the secrets whose stand-ins are in the rendered configuration.</summary>
    /// <returns>The secrets, or why the node may not go on.</returns>
    public static (SecretUse? Use, NodeFailed? Refusal) Open(NodeCall call, SecretVault vault)
    {
        if (call.Program.Secrets.Count == 0) return (None, null);
        var open = ImmutableArray.CreateBuilder<(SecretRule, string, string)>();
        var text = call.Config.GetRawText();
        foreach (var name in call.Program.Secrets)
        {
            var standIn = StandIn.Of(name);
            if (!text.Contains(standIn, StringComparison.Ordinal)) continue;
            if (vault.Find(name) is not { Value: { } value } rule)
            {
                return (null, new NodeFailed(
                    ErrorCodes.SecretNotFound,
                    $"Node '{call.Step.Node.Id}' uses secrets.{name}, but this daemon's configuration has no {(vault.Find(name) is null ? "secret of that name" : "value for it")} ([secret.{name}])."));
            }

            if (rule.Objection(call.Run.UserId, call.Run.StoredWorkflowId) is { } objection)
                return (null, new NodeFailed(ErrorCodes.SecretNotAllowed, $"Node '{call.Step.Node.Id}': secrets.{name} {objection}."));
            open.Add((rule, standIn, value.Reveal()));
        }

        return (open.Count == 0 ? None : new SecretUse(open.ToImmutable()), null);
    }

    /// <summary>Why what is used may not go to that address; null if it may.</summary>
    public string? Objection(Uri url)
    {
        foreach (var (rule, _, _) in _open)
        {
            if (rule.Objection(url) is { } objection) return $"secrets.{rule.Name} {objection}";
        }

        return null;
    }

    public bool IsIn(string text)
    {
        foreach (var (_, standIn, _) in _open)
        {
            if (text.Contains(standIn, StringComparison.OrdinalIgnoreCase)) return true;
        }

        return false;
    }

    /// <summary>Whether an address begins with a secret, which then says where it goes.</summary>
    public bool Begins(string text)
    {
        foreach (var (_, standIn, _) in _open)
        {
            if (text.StartsWith(standIn, StringComparison.Ordinal)) return true;
        }

        return false;
    }

    /// <summary>The text with the values in their places.</summary>
    public string Fill(string text)
    {
        foreach (var (_, standIn, value) in _open) text = text.Replace(standIn, value, StringComparison.Ordinal);
        return text;
    }

    /// <summary>As <see cref="Fill(string)"/>, for a place in an address: the values are escaped.</summary>
    public string FillEscaped(string text)
    {
        foreach (var (_, standIn, value) in _open) text = text.Replace(standIn, Uri.EscapeDataString(value), StringComparison.Ordinal);
        return text;
    }

    /// <summary>The JSON with the values in the places of their stand-ins in its strings.</summary>
    public JsonElement Fill(JsonElement json) => IsEmpty ? json : JsonStrings.Replace(json, Fill);

    /// <summary>The address as it may be shown.</summary>
    public string Shown(string url)
    {
        foreach (var (_, standIn, _) in _open) url = url.Replace(standIn, SensitiveNames.Mask, StringComparison.Ordinal);
        return url;
    }

    /// <summary>Masks these parts of an address that holds a secret, too: servers like to repeat them.</summary>
    public void AlsoMask(Uri url)
    {
        if (IsEmpty) return;
        foreach (var part in new[] { url.AbsoluteUri, url.PathAndQuery, url.AbsolutePath, url.Query.TrimStart('?') }) _mask.Add(part);
    }

    /// <summary>Takes the values, and the usual ways to write them, out of what comes back.</summary>
    public string Redact(string text) => _mask.Apply(text);

    /// <inheritdoc cref="Redact(string)"/>
    public JsonElement Redact(JsonElement json) => IsEmpty ? json : JsonStrings.Replace(json, _mask.Apply, names: true);

    /// <summary>The same in bytes that are no text.</summary>
    public void Redact(Span<byte> bytes) => _mask.Apply(bytes);
}

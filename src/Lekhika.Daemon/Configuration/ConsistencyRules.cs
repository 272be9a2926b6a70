namespace Lekhika.Daemon.Configuration;

/// <summary>What must hold between settings that are each right for themselves. Every rule speaks; none hides another.</summary>
internal static class ConsistencyRules
{
    private const int ShortestSecret = 16;

    public static void Check(
        SettingValues values, ConfigurationPurpose purpose, List<ConfigurationProblem> errors, List<ConfigurationProblem> warnings)
    {
        if (purpose == ConfigurationPurpose.Serve)
        {
            CheckListeners(values, errors);
            CheckAdvertisedUrl(values, errors);
            CheckSecret(values, errors, warnings);
            CheckViewerSecret(values, errors, warnings);
        }

        CheckOrder(values, WorkerSettings.Heartbeat, WorkerSettings.Lease, 2,
            "must be at most half of worker.lease, so that one lost heartbeat costs no claim", errors);
        CheckOrder(values, OllamaSettings.IdleTimeout, OllamaSettings.TotalTimeout, 1, "must not exceed ollama.total_timeout", errors);
        CheckOrder(values, OllamaSettings.FirstByteTimeout, OllamaSettings.TotalTimeout, 1, "must not exceed ollama.total_timeout", errors);
        CheckOrder(values, OllamaSettings.ConnectTimeout, OllamaSettings.FirstByteTimeout, 1, "must not exceed ollama.first_byte_timeout", errors);
        CheckOrder(values, LimitSettings.NodeTimeout, LimitSettings.ExecutionTimeout, 1, "must not exceed limits.execution_timeout", errors);
        if (values.IsSound(WorkerSettings.Concurrency, WorkerSettings.MaxClaimed)
            && values.Get(WorkerSettings.MaxClaimed) < values.Get(WorkerSettings.Concurrency))
        {
            errors.Add(new(WorkerSettings.MaxClaimed.FullName, values.Origin(WorkerSettings.MaxClaimed),
                $"must not be below worker.concurrency ({values.Origin(WorkerSettings.Concurrency)})"));
        }

        if (values.IsSound(AdoptSettings.Lekhika, AdoptSettings.AllowApiKeyControl)
            && values.Get(AdoptSettings.AllowApiKeyControl) && !values.Get(AdoptSettings.Lekhika))
        {
            errors.Add(new(AdoptSettings.AllowApiKeyControl.FullName, values.Origin(AdoptSettings.AllowApiKeyControl), "needs adopt.lekhika = true: there are no keys to check otherwise"));
        }

        if (values.IsSound(OpenAiSettings.Url) && values.Find(OpenAiSettings.Url) is null && values.Find(OpenAiSettings.ApiKey) is not null)
        {
            warnings.Add(new(OpenAiSettings.ApiKey.FullName, values.Origin(OpenAiSettings.ApiKey), "not used, because openai.url is not set"));
        }
    }

    private static void CheckListeners(SettingValues values, List<ConfigurationProblem> errors)
    {
        if (values.IsSound(ServerSettings.Url, ServerSettings.Socket)
            && values.Get(ServerSettings.Url).IsEmpty && values.Find(ServerSettings.Socket) is null)
        {
            errors.Add(new(ServerSettings.Url.FullName, values.Origin(ServerSettings.Url),
                "nothing to listen on: with none, server.socket must be set"));
        }

        // Linux keeps a socket's path in 108 bytes, the closing zero included.
        if (values.Find(ServerSettings.Socket) is { } socket && System.Text.Encoding.UTF8.GetByteCount(socket) > 107)
        {
            errors.Add(new(ServerSettings.Socket.FullName, values.Origin(ServerSettings.Socket),
                "the path of a Unix socket may have 107 bytes at most"));
        }
    }

    // The others' requests carry the internal secret, and this URL is shown to all who look.
    private static void CheckAdvertisedUrl(SettingValues values, List<ConfigurationProblem> errors)
    {
        if (values.IsSound(ServerSettings.AdvertisedUrl) && values.Find(ServerSettings.AdvertisedUrl) is { UserInfo.Length: > 0 })
        {
            errors.Add(new(ServerSettings.AdvertisedUrl.FullName, values.Origin(ServerSettings.AdvertisedUrl),
                "must not hold a user name or password: daemons know each other by auth.internal_secret, and whoever lists the workers sees this URL"));
        }
    }

    private static void CheckSecret(SettingValues values, List<ConfigurationProblem> errors, List<ConfigurationProblem> warnings)
    {
        if (!values.IsSound(AuthSettings.InternalSecret, AuthSettings.InternalSecretFile, AuthSettings.AllowInsecureLoopback, ServerSettings.Url))
        {
            return;
        }

        var origin = values.Origin(AuthSettings.InternalSecret);
        if (values.Find(AuthSettings.InternalSecret) is { } secret)
        {
            if (secret.Reveal() == "dev-secret-key")
            {
                warnings.Add(new(AuthSettings.InternalSecret.FullName, origin,
                    "this is the earlier worker's published default; anyone can guess it"));
            }
            else if (secret.Reveal().Length < ShortestSecret)
            {
                warnings.Add(new(AuthSettings.InternalSecret.FullName, origin,
                    "shorter than 16 characters; `openssl rand -hex 32` makes a good one"));
            }

            return;
        }

        if (!values.Get(AuthSettings.AllowInsecureLoopback))
        {
            errors.Add(new(AuthSettings.InternalSecret.FullName, null,
                "no secret is configured, so anyone could start executions; set it, "
                + "or set auth.allow_insecure_loopback = true to serve this machine without one"));
        }
        else if (values.Get(ServerSettings.Url).FirstOrDefault(url => !url.IsLoopback) is { } open)
        {
            errors.Add(new(AuthSettings.AllowInsecureLoopback.FullName, values.Origin(AuthSettings.AllowInsecureLoopback),
                $"without a secret every listener must be loopback or a Unix socket, and {open} of server.url ({values.Origin(ServerSettings.Url)}) is neither; "
                + "set auth.internal_secret or listen on 127.0.0.1"));
        }
    }

    private static void CheckViewerSecret(SettingValues values, List<ConfigurationProblem> errors, List<ConfigurationProblem> warnings)
    {
        if (!values.IsSound(AuthSettings.InternalSecret, AuthSettings.ViewerSecret) || values.Find(AuthSettings.ViewerSecret) is not { } viewer) return;
        var origin = values.Origin(AuthSettings.ViewerSecret);
        if (values.Find(AuthSettings.InternalSecret) is not { } secret)
        {
            warnings.Add(new(AuthSettings.ViewerSecret.FullName, origin,
                "not used, because auth.internal_secret is not set and everyone on this machine may act"));
        }
        else if (secret.Matches(viewer.Reveal()))
        {
            errors.Add(new(AuthSettings.ViewerSecret.FullName, origin, "must differ from auth.internal_secret, or viewers could act"));
        }
        else if (viewer.Reveal().Length < ShortestSecret)
        {
            warnings.Add(new(AuthSettings.ViewerSecret.FullName, origin, "shorter than 16 characters; `openssl rand -hex 32` makes a good one"));
        }
    }

    // The defaults of the smaller follow the larger, so the smaller was set whenever the rule is broken.
    private static void CheckOrder(
        SettingValues values, Setting<TimeSpan> small, Setting<TimeSpan> large, int factor, string rule, List<ConfigurationProblem> errors)
    {
        if (values.IsSound(small, large) && values.Get(small) * factor > values.Get(large))
        {
            errors.Add(new(small.FullName, values.Origin(small),
                $"{rule}; it is {DurationText.Format(values.Get(small))}, "
                + $"and {large.FullName} is {DurationText.Format(values.Get(large))} ({values.Origin(large)})"));
        }
    }
}

using System.Globalization;
using Npgsql;

namespace Lekhika.Daemon.Configuration;

/// <summary>Puts <c>database.url</c> and the separate keys together. The URL wins where both name a part.</summary>
internal static class DatabaseBinder
{
    public static DatabaseOptions Bind(SettingValues values, bool isRequired, List<ConfigurationProblem> errors, List<ConfigurationProblem> warnings)
    {
        var target = values.Find(DatabaseSettings.Url);
        var schema = values.Get(DatabaseSettings.Schema);
        var poolSize = values.Get(DatabaseSettings.PoolSize);
        var listen = values.Get(DatabaseSettings.Listen);
        if (target is null
            && !values.IsGiven(DatabaseSettings.Host)
            && !values.IsGiven(DatabaseSettings.Name)
            && !values.IsGiven(DatabaseSettings.User))
        {
            if (isRequired && values.IsSound(DatabaseSettings.Url))
            {
                errors.Add(new(DatabaseSettings.Url.FullName, null,
                    "no database is configured; set database.url, such as postgres://lekhika@localhost/lekhika, or database.host, name and user"));
            }

            return new(new Secret(""), "none", schema, poolSize, listen);
        }

        var builder = target is null ? new NpgsqlConnectionStringBuilder() : new NpgsqlConnectionStringBuilder(target.Builder.ConnectionString);
        foreach (var warning in target?.Warnings ?? [])
        {
            warnings.Add(new(DatabaseSettings.Url.FullName, values.Origin(DatabaseSettings.Url), warning));
        }

        Fill(DatabaseSettings.Host, "Host", values.Find(DatabaseSettings.Host));
        Fill(DatabaseSettings.Port, "Port", values.FindValue(DatabaseSettings.Port)?.ToString(CultureInfo.InvariantCulture));
        Fill(DatabaseSettings.Name, "Database", values.Find(DatabaseSettings.Name));
        Fill(DatabaseSettings.User, "Username", values.Find(DatabaseSettings.User));
        Fill(DatabaseSettings.Password, "Password", values.Find(DatabaseSettings.Password)?.Reveal());
        builder.Host ??= "localhost";
        builder.Database ??= "lekhika";
        builder.ApplicationName ??= "lekhika-daemon";
        if (!builder.ShouldSerialize("Maximum Pool Size") || values.IsGiven(DatabaseSettings.PoolSize))
        {
            builder.MaxPoolSize = poolSize;
        }

        if (target?.IsPooler == true)
        {
            if (listen == ListenMode.On)
            {
                warnings.Add(new(DatabaseSettings.Listen.FullName, values.Origin(DatabaseSettings.Listen),
                    "database.url says pgbouncer=true, where LISTEN does not work in transaction mode"));
            }

            listen = listen == ListenMode.Auto ? ListenMode.Off : listen;
            builder.NoResetOnClose = true;
        }

        return new(new Secret(builder.ConnectionString), Display(builder), schema, builder.MaxPoolSize, listen, values.Find(DatabaseSettings.CompletionHook));

        void Fill(Setting setting, string keyword, string? value)
        {
            if (value is null)
            {
                return;
            }

            // ShouldSerialize is whether the URL named it; the properties cannot tell that from a default.
            if (!builder.ShouldSerialize(keyword))
            {
                builder[keyword] = value;
            }
            else if (!string.Equals(Convert.ToString(builder[keyword], CultureInfo.InvariantCulture), value, StringComparison.Ordinal))
            {
                warnings.Add(new(setting.FullName, values.Origin(setting),
                    $"ignored, because database.url ({values.Origin(DatabaseSettings.Url)}) names it too"));
            }
        }
    }

    private static string Display(NpgsqlConnectionStringBuilder builder)
    {
        var user = string.IsNullOrEmpty(builder.Username) ? "" : builder.Username + "@";
        var port = builder.Host!.StartsWith('/') || builder.Host.Contains(',', StringComparison.Ordinal) || !builder.ShouldSerialize("Port")
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $":{builder.Port}");
        return $"{user}{builder.Host}{port}/{builder.Database}";
    }
}

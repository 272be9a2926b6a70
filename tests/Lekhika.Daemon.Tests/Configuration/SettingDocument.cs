using System.Text;
using Lekhika.Daemon.Configuration;

namespace Lekhika.Daemon.Tests.Configuration;

/// <summary>Renders docs/configuration.md from the table of settings.</summary>
internal static class SettingDocument
{
    private const string Head = """
        # Configuration

        This page is made from the daemon's own table of settings; a test keeps the two equal
        (`UPDATE_DOCS=1` before the tests of `Lekhika.Daemon.Tests` writes it anew).

        `lekhika-daemon check-config` reports every error at once with its key and where it came from, and exits with 78 if there is one.
        `lekhika-daemon check-config --print` shows what is in force and why, with secrets masked; but for the masks its output is itself a configuration file.

        ## Where settings come from

        In rising weight:

        1. **The file**: `--config FILE`, else `$LEKHIKA_CONFIG`, else `/etc/lekhika-daemon/daemon.conf`, which may be absent; the others may not.
        2. **Credentials**: files in `$CREDENTIALS_DIRECTORY`, as systemd's `LoadCredential=` makes them; for what is run by hand, files in the folder
           `credentials` beside the configuration file, if it may be read. One line break at the end is dropped.
        3. **The environment**: `LEKHIKA_<SECTION>_<KEY>`. An empty variable counts as not set. A variable of an earlier worker weighs the same,
           and yields to the `LEKHIKA_` name of the same setting; one that overrides the file or a credential is reported by a warning.
        4. **Flags**: `--section.key VALUE` or `--section.key=VALUE`, in every command; the last one wins. A boolean may stand without a value.

        A secret may also stand in a file of its own, named by the `_file` key beside it; a secret given directly wins over that.
        Secrets given as flags work but are shown to every user by `ps`, and a warning says so.
        An unknown key, section, `LEKHIKA_` variable or `--section.key` flag is an error with a suggestion, never ignored.

        ## The file

        ```ini
        # A comment: "#" at the start of a line, or after a blank behind a value.
        [worker]
        concurrency = 20          # so is this
        id = "worker # 1"         # inside quotes "#" is text, and \" \\ \n \t are escapes

        [models]
        default = llama3.2
        "OPENA-01-first:gpt-4o" = llama3.2
        ```

        - `[section]`, then `key = value`, one a line; a line does not continue on the next. UTF-8.
        - A `#` without a blank before it belongs to the value: `http://host/#top`.
        - Keys and values may be quoted. A value must be when it begins with a quote or `#`, holds a `#` after a blank, or has blanks at its ends.
        - An empty value is as if the line were not there. The same key twice is an error; the same section twice is not.
        - Lists are separated by commas.
        - Durations: `100ms`, `30s`, `10m`, `1h`, `7d`, or a plain number of seconds. Sizes: `512KB`, `50MB`, `1GB` (1KB = 1024 bytes), or a plain number of bytes.
          Booleans: `true` or `false` (also `yes`, `no`, `on`, `off`, `1`, `0`).

        In the sections that are tables (`models`, `nodes`) an environment variable gives its key in lower case, `LEKHIKA_NODES_SCRAPING`
        for `scraping`; a variable whose name holds anything but upper-case letters, digits and `_` gives it as it stands. The case of a model alias does not matter.

        ## Settings

        *Reload* marks what SIGHUP takes over; the rest waits for a restart. *Env* and *credential* list further names; the variable
        `LEKHIKA_<SECTION>_<KEY>` and the flag `--section.key` exist for every setting.

        """;

    private const string Secrets = """

        ## Secrets

        A secret is for nodes that call others: `{{ secrets.NAME }}` in the fields of a node that may hold secrets ([workflow-language.md](workflow-language.md)).

        ```ini
        [secret.CRM_TOKEN]
        value_file = /etc/lekhika-daemon/crm-token     # readable by the daemon: chown root:lekhika-daemon, chmod 640
        users = 3f0c9a52-8d5e-4b4e-9d5c-0d9a6c1c7a10
        hosts = api.crm.example, *.eu.crm.example
        ```

        - It may be used by executions with one of its `users` as `user_id`, and of one of its `workflows`, and sent to one of its `hosts`, redirects included.
          Anything else fails the node as `secret_not_allowed`. Whoever may insert executions or has the internal secret says what `user_id` they have.
        - The unit hands over credentials by name: give it the line `LoadCredential=secret-NAME:/etc/lekhika-daemon/credentials/secret-NAME` in a drop-in.
          systemd reads them at the start only, so a value that changes often is better kept in a `value_file`.
        - In variables: `LEKHIKA_SECRET_NAME_VALUE`, `LEKHIKA_SECRET_NAME_HOSTS` …; a `NAME` that the file has in lower case is meant too.
        - SIGHUP takes everything over, also for executions under way: one that is taken away is refused at its next use.

        """;

    private const string Tail = """

        ## What must fit together

        - Without `auth.internal_secret` the daemon refuses to start, unless `auth.allow_insecure_loopback` is true and every address of `server.url` is
          loopback (a Unix socket is always allowed). A secret shorter than 16 characters, or the earlier worker's default, is a warning.
        - `database.url` wins over `database.host`, `port`, `name`, `user` and `password` where both name a part, and a warning says so;
          they fill in what it leaves out. In a URL, percent-encode `/ ? # %` and `@` in a user name or password. `pgbouncer=true` turns `database.listen = auto` into `off`; without it a pooler is found out at the start.
        - `worker.heartbeat` is at most half of `worker.lease`; `worker.max_claimed` is not below `worker.concurrency`.
        - `ollama.connect_timeout` ≤ `ollama.first_byte_timeout` ≤ `ollama.total_timeout`; `ollama.idle_timeout` ≤ `ollama.total_timeout`;
          `limits.node_timeout` ≤ `limits.execution_timeout`. Defaults of the smaller follow the larger.
        - A file that holds a secret and can be read by every user is a warning.

        ## Variables of the earlier workers that set nothing

        They are accepted with a warning that says what took their place.

        | variable | instead |
        |---|---|

        """;

    public static string Render()
    {
        var text = new StringBuilder(Head);
        foreach (var section in SettingTable.Sections.Append(new SecretSettings("NAME").Section))
        {
            text.Append($"\n### [{section.Name}]\n\n{section.Description}\n");
            if (section.EntryForm is { } form)
            {
                text.Append($"One line for each: `{form}`. {section.Entry!("example").Description} Reload.\n");
            }

            if (section.Settings.Length > 0)
            {
                text.Append("\n| key | value | default | what |\n|---|---|---|---|\n");
            }

            foreach (var setting in section.Settings)
            {
                text.Append($"| `{setting.Name}` | {setting.Expected} | {Default(setting)} | {What(setting)} |\n");
            }
        }

        text.Append(Secrets);
        text.Append(Tail);
        foreach (var (name, instead) in OlderVariables.Replacements.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            text.Append($"| `{name}` | {instead} |\n");
        }

        return text.ToString();
    }

    private static string Default(Setting setting)
    {
        var note = setting.DefaultNote is null || setting.Default is null ? setting.DefaultNote ?? "" : $" ({setting.DefaultNote})";
        return setting.Default is null ? note : $"`{setting.Default}`{note}";
    }

    private static string What(Setting setting)
    {
        var text = new StringBuilder(setting.Description);
        if (setting.OlderNames.Length > 0)
        {
            text.Append(" Env: ").AppendJoin(", ", setting.OlderNames.Select(older => $"`{older.Name}`{(older.Note is null ? "" : $" ({older.Note})")}")).Append('.');
        }

        if (setting.CredentialName is { } credential)
        {
            text.Append($" Credential: `{credential}`.");
        }

        return text.Append(setting.IsReloadable ? " Reload." : "").ToString();
    }
}

# A private PostgreSQL cluster: its own folder, port, socket and password. No other cluster is looked at.
# Needs: $home (where quickstart keeps its things), prerequisites.sh, processes.sh.

server_user=$([ "$(id -u)" = 0 ] && echo postgres || id -un)

# PostgreSQL refuses to run as root.
as_server() {
    if [ "$(id -u)" = 0 ]; then (cd / && setpriv --reuid=postgres --regid=postgres --init-groups "$@"); else "$@"; fi
}

# Where the cluster is: beside the rest, unless the server's user cannot get there (a clone in /root).
find_cluster() {
    cluster=$home/cluster
    if ! as_server test -x "$home"; then
        cluster=/var/tmp/lekhika-quickstart-$(echo "$home" | cksum | cut -d' ' -f1)
    fi
    mkdir -p "$cluster"
    [ ! -L "$cluster" ] && [ -O "$cluster" -o "$(stat -c %U "$cluster")" = "$server_user" ] || { echo "$cluster belongs to somebody else" >&2; return 1; }
    [ "$(id -u)" != 0 ] || chown "$server_user" "$cluster"
    chmod 700 "$cluster"
}

make_cluster() {
    [ -e "$cluster/data/PG_VERSION" ] && return
    rm -rf "$cluster/data" "$cluster/data.new"
    # Made under another name, so that one whose making was interrupted is never taken for a cluster.
    (umask 077; head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$cluster/password")
    [ "$(id -u)" != 0 ] || chown "$server_user" "$cluster/password"
    as_server "$(pg_bin)/initdb" -D "$cluster/data.new" -U lekhika -A scram-sha-256 --pwfile="$cluster/password" -E UTF8 --locale=C --no-sync \
        >"$home/log/initdb.log" 2>&1 9>&- || { cat "$home/log/initdb.log" >&2; return 1; }
    echo "include = 'quickstart.conf'" >>"$cluster/data.new/postgresql.conf"
    mv "$cluster/data.new" "$cluster/data"
}

# The pid of our server, found by its folder: a pid file that a crash left behind may name anybody.
cluster_pid() {
    local pid
    { read -r pid <"$cluster/data/postmaster.pid"; } 2>/dev/null || return 1
    [ "$(readlink "/proc/$pid/cwd" 2>/dev/null)" = "$(readlink -f "$cluster/data")" ] && echo "$pid"
}

start_cluster() {
    local tries sockets=$cluster
    # A Unix socket's path may not be longer than 107 bytes.
    [ ${#sockets} -le 80 ] || sockets=
    cluster_pid >/dev/null || rm -f "$cluster/data/postmaster.pid"
    for tries in 1 2 3; do
        database_port=$(free_port "$(cat "$home/database-port" 2>/dev/null || echo 0)")
        printf "%s\n" "listen_addresses = '127.0.0.1'" "port = $database_port" "unix_socket_directories = '${sockets//\'/\'\'}'" \
            "shared_buffers = 32MB" "max_connections = 40" >"$cluster/data/quickstart.conf"
        [ "$(id -u)" != 0 ] || chown "$server_user" "$cluster/data/quickstart.conf"
        if as_server "$(pg_bin)/pg_ctl" -D "$cluster/data" -w -t 60 -l "$cluster/log" start >"$home/log/pg_ctl.log" 2>&1 </dev/null 9>&-; then
            echo "$database_port" >"$home/database-port"
            (umask 077; echo "127.0.0.1:$database_port:*:lekhika:$(cat "$cluster/password")" >"$home/pgpass")
            return
        fi
        rm -f "$home/database-port"
    done
    echo "the private PostgreSQL cluster did not start:" >&2
    tail -n 15 "$cluster/log" >&2
    return 1
}

stop_cluster() {
    local pid
    [ -n "${cluster:-}" ] && pid=$(cluster_pid) || return 0
    as_server "$(pg_bin)/pg_ctl" -D "$cluster/data" -w -t 20 -m fast stop >/dev/null 2>&1 </dev/null || kill -QUIT "$pid" 2>/dev/null || true
}

# sql [psql's options]: statements from standard input, values only.
sql() {
    PGPASSFILE=$home/pgpass "$(pg_bin)/psql" -XAtq -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$database_port" -U lekhika -d "${database:-lekhika}" "$@"
}

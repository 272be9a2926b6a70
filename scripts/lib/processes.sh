# Processes that a script starts and must be able to end, also in a later run. A pid file holds the pid and the time the process began, so that a
# number that the system has given to somebody else since is left alone.

# When a process began, in clock ticks since boot; fails if there is none.
process_begun() {
    local stat
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
    set -- ${stat##*) }
    [ "$1" != Z ] || return 1
    echo "${20}"
}

# start_process PIDFILE LOG COMMAND...: in a session of its own, so that neither Ctrl-C nor the end of the terminal reaches it.
start_process() {
    local file=$1 log=$2 pid
    shift 2
    setsid "$@" >"$log" 2>&1 </dev/null 9>&- &
    pid=$!
    echo "$pid $(process_begun "$pid")" >"$file"
}

process_lives() {
    local pid begun
    [ -s "$1" ] && read -r pid begun <"$1" && [ -n "$begun" ] && [ "$(process_begun "$pid")" = "$begun" ]
}

# stop_process PIDFILE SECONDS: SIGTERM, and SIGKILL if that was not enough; to its children as well.
stop_process() {
    local file=$1 patience=$(($2 * 10)) pid begun
    if process_lives "$file"; then
        read -r pid begun <"$file"
        kill -TERM -- "-$pid" 2>/dev/null || kill -TERM "$pid" 2>/dev/null || true
        while [ "$patience" -gt 0 ] && process_lives "$file"; do
            sleep 0.1
            patience=$((patience - 1))
        done
        if process_lives "$file"; then kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true; fi
    fi
    rm -f "$file"
}

# run_to_end PIDFILE LOG COMMAND...: waits for it, and lets a signal to the script be obeyed meanwhile.
run_to_end() {
    local file=$1 status=0
    start_process "$@"
    wait "$!" || status=$?
    rm -f "$file"
    return "$status"
}

# A port of 127.0.0.1 that nobody listens on: the one given if it is free, else any.
free_port() {
    local port=${1:-0} tries=0
    while [ "$tries" -lt 200 ]; do
        if [ "$port" -gt 0 ] && ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
        port=$((20000 + RANDOM % 10000))
        tries=$((tries + 1))
    done
    echo "no free port was found between 20000 and 30000" >&2
    return 1
}

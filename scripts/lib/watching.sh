# Waiting for what was started, and showing executions at work. Needs: $home, $daemon, sql, process_lives.

# await PIDFILE LOG NAME COMMAND...: until the command succeeds, the process dies or 60 s are over.
await() {
    local file=$1 log=$2 name=$3 until=$((SECONDS + 60))
    shift 3
    while ! "$@" 2>/dev/null; do
        if ! process_lives "$file"; then
            tail -n 20 "$log" >&2
            fail "$name ended as it started; its log is $log"
        fi
        if [ "$SECONDS" -ge "$until" ]; then
            tail -n 20 "$log" >&2
            fail "$name did not get ready within 60 s; its log is $log"
        fi
        sleep 0.1
    done
}

# status_of ID FIELDS: parts of the status, as JSON.
status_of() { curl -sS -m 10 -H "@$home/auth" "$daemon/status/$1?fields=$2"; }

# follow ID: one line for each change, or one line that is rewritten on a terminal. Fails if the execution does not complete.
follow() {
    local id=$1 state progress node text line said= said_at=-1 until=$((SECONDS + 240))
    while :; do
        IFS=$'\t' read -r state progress node text < <(sql -v status="$(status_of "$id" status,progress,currentNode,currentOutput,error)" <<'SQL'
SELECT concat_ws(E'\t', s->>'status', s->>'progress', coalesce(nullif(s->>'currentNode', ''), '-'),
                 right(regexp_replace(coalesce(nullif(s->>'error', ''), s->>'currentOutput', ''), '[[:cntrl:][:space:]]+', ' ', 'g'), 72))
  FROM (SELECT :'status'::jsonb->'status') j (s)
SQL
        ) || true
        printf -v line '%-9s %5s %%  %-16s %s' "${state:--}" "${progress:--}" "${node:--}" "${text:-}"
        if [ -t 1 ]; then
            printf '\r\033[K%s' "${line:0:$(($(tput cols 2>/dev/null || echo 100) - 1))}"
        elif [ "${line%%  *}$node" != "$said" ] || { [ "$SECONDS" != "$said_at" ] && [ "$state" = running ]; }; then
            printf '%s\n' "$line"
            said="${line%%  *}$node"
            said_at=$SECONDS
        fi
        case $state in
            completed) break ;;
            failed | cancelled) [ ! -t 1 ] || echo; fail "execution $id ended as $state: $text" ;;
        esac
        [ "$SECONDS" -lt "$until" ] || fail "execution $id has not ended within 240 s; it is $state"
        sleep 0.2
    done
    [ ! -t 1 ] || echo
}

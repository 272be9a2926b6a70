#!/bin/bash
# What scripts/test-deb does inside the container, a word each.
set -uo pipefail
name=lekhika.example.org
secret() { cat /etc/lekhika-daemon/credentials/internal-secret; }
ask() { curl -sk --max-time 20 --resolve "$name:443:127.0.0.1" --resolve "$name:80:127.0.0.1" "$@"; }
sql() { runuser -u postgres -- psql -d lekhika -qAt -v ON_ERROR_STOP=1 "$@"; }
uuid() { cat /proc/sys/kernel/random/uuid; }
# One call of a model, whose reply is the result.
flow='{"nodes":[{"id":"ask","type":"llm","config":{"model":"llama3.2","prompt":"one word"}},{"id":"result","type":"output","config":{"value":"{{ nodes.ask.text }}"}}],"edges":[{"from":"ask","to":"result"}]}'

submit() { # URL ID
    ask -o /dev/null -w '%{http_code}' -H "X-Internal-Auth: $(secret)" -H 'Content-Type: application/json' "$1/execute" -d "{\"executionId\":\"$2\",\"userId\":\"trial\",\"inputs\":{},\"workflow\":$flow}"
}

case $1 in
    database)
        runuser -u postgres -- createuser lekhika-daemon || exit
        runuser -u postgres -- createdb -O lekhika-daemon lekhika || exit
        sed -i 's|^#url = postgres://lekhika-daemon@/.*|url = postgres://lekhika-daemon@/lekhika?host=/var/run/postgresql|; s|^#default = .*|default = llama3.2|; s|^#parallelism = 1|parallelism = 8|' /etc/lekhika-daemon/daemon.conf
        lekhika-daemon check-config
        ;;
    nginx)
        mkdir -p "/etc/letsencrypt/live/$name"
        openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=$name" -addext "subjectAltName=DNS:$name" \
            -keyout "/etc/letsencrypt/live/$name/privkey.pem" -out "/etc/letsencrypt/live/$name/fullchain.pem" 2>/dev/null
        cp "/etc/letsencrypt/live/$name/fullchain.pem" /usr/local/share/ca-certificates/trial.crt
        update-ca-certificates >/dev/null 2>&1
        grep -q "$name" /etc/hosts || echo "127.0.0.1 $name" >>/etc/hosts
        cp /usr/share/doc/lekhika-daemon/examples/nginx-site /etc/nginx/sites-available/lekhika-daemon
        rm -f /etc/nginx/sites-enabled/default
        ln -sf ../sites-available/lekhika-daemon /etc/nginx/sites-enabled/
        nginx -t && systemctl restart nginx
        ;;
    code) ask -o /dev/null -w '%{http_code}' "$2"; true ;;
    execute)
        id=$(uuid)
        [ "$(submit "$2" "$id")" = 202 ] || { echo "not accepted"; exit 1; }
        for _ in $(seq 60); do
            status=$(ask -H "X-Internal-Auth: $(secret)" "$2/status/$id?fields=status,result,error")
            case $status in *'"status":"completed"'*) exit 0 ;; *'"status":"failed"'*) break ;; esac
            sleep 0.3
        done
        echo "$status"
        exit 1
        ;;
    stream)
        # 40 tokens at a tenth of the speed take seconds: the first line must be there long before the last.
        id=$(uuid)
        slow=${flow/one word/[[double:tokens:60]] [[double:speed:20]]}
        ask -o /dev/null -H "X-Internal-Auth: $(secret)" -H 'Content-Type: application/json' "https://$name/execute" -d "{\"executionId\":\"$id\",\"inputs\":{},\"workflow\":$slow}"
        first=
        begun=${EPOCHREALTIME/./}
        while IFS= read -r line; do
            now=${EPOCHREALTIME/./}
            [ -n "$first" ] || first=$((now - begun))
            last=$((now - begun))
        done < <(curl -skN --max-time 15 --resolve "$name:443:127.0.0.1" -H "X-Internal-Auth: $(secret)" "https://$name/status/$id/events")
        if [ "${first:-9999999}" -lt 1000000 ] && [ "$last" -gt $((first + 1000000)) ]; then echo streamed; else echo "first line after $first us, last after $last us"; fi
        ;;
    flood)
        for _ in $(seq 120); do echo "url = https://$name/health"; done >/tmp/flood
        ask --parallel --parallel-max 20 -o /dev/null -w '%{http_code}\n' -K /tmp/flood 2>/dev/null | sort | uniq -c
        sleep 3
        ;;
    body)
        head -c "$2" /dev/zero | tr '\0' ' ' | ask -o /dev/null -w '%{http_code}' -H "X-Internal-Auth: $(secret)" -H 'Content-Type: application/json' -H 'Expect:' --data-binary @- "https://$name/execute"
        ;;
    watchdog)
        mkdir -p /etc/systemd/system/lekhika-daemon.service.d
        printf '[Service]\nWatchdogSec=6s\n' >/etc/systemd/system/lekhika-daemon.service.d/trial.conf
        systemctl daemon-reload && systemctl restart lekhika-daemon
        ;;
    reload)
        systemctl reload lekhika-daemon
        sleep 1
        systemctl is-active lekhika-daemon
        ;;
    socket)
        rm -f /etc/systemd/system/lekhika-daemon.service.d/trial.conf
        systemctl daemon-reload
        systemctl stop lekhika-daemon && systemctl enable --now lekhika-daemon.socket && systemctl start lekhika-daemon
        ;;
    restart-under-requests)
        rm -f /tmp/restarted
        (systemctl restart lekhika-daemon; systemctl restart lekhika-daemon; touch /tmp/restarted) &
        refused=0 served=0
        while [ ! -e /tmp/restarted ]; do
            case $(curl -s --max-time 30 -o /dev/null -w '%{http_code}' http://127.0.0.1:3001/health) in 200) served=$((served + 1)) ;; *) refused=$((refused + 1)) ;; esac
        done
        wait
        echo "$refused refused, $served served"
        ;;
    edit) sed -i 's/^#concurrency = 10$/concurrency = 7/' /etc/lekhika-daemon/daemon.conf && systemctl restart lekhika-daemon ;;
    load)
        rm -f /root/trial/stop /root/trial/accepted
        curl -s -X POST http://127.0.0.1:11434/double/reset >/dev/null
        sql -c "TRUNCATE lekhika.workflow_executions CASCADE" 2>/dev/null
        while [ ! -e /root/trial/stop ]; do
            id=$(uuid)
            [ "$(submit "https://$name" "$id")" = 202 ] && echo "$id" >>/root/trial/accepted
            sql -c "INSERT INTO lekhika.workflow_executions (definition, inputs, user_id) SELECT '$flow', '{}', 'load' FROM generate_series(1, 5) RETURNING id" >>/root/trial/accepted
            sleep 0.05
        done
        touch /root/trial/stopped
        ;;
    outcome)
        [ -e /root/trial/stopped ] || { echo "the load still runs"; exit; }
        install -m 644 /root/trial/accepted /tmp/accepted
        sql -c "CREATE TEMP TABLE accepted (id uuid)" -c "\\copy accepted FROM /tmp/accepted" -c "
            SELECT count(*) FILTER (WHERE e.status IS NULL OR e.status IN ('pending', 'running', 'waiting')) || ' open, '
                || count(*) FILTER (WHERE e.status = 'completed') || ' completed, '
                || count(*) FILTER (WHERE e.status NOT IN ('pending', 'running', 'waiting', 'completed')) || ' otherwise'
              FROM accepted a LEFT JOIN lekhika.workflow_executions e USING (id)"
        ;;
    doubled)
        calls=$(curl -s http://127.0.0.1:11434/double/stats | grep -oE '"completions": ?[0-9]+' | grep -oE '[0-9]+$')
        rows=$(sql -c "SELECT count(*) FROM lekhika.workflow_executions WHERE user_id IN ('load', 'trial')")
        if [ "$calls" = "$rows" ]; then echo "equal: $calls"; else echo "$calls calls of the model for $rows executions"; fi
        ;;
    leftovers)
        left=$(ls -d /etc/lekhika-daemon /var/lib/lekhika-daemon /usr/bin/lekhika-daemon /usr/share/doc/lekhika-daemon /etc/systemd/system/*/lekhika-daemon* 2>/dev/null; getent passwd lekhika-daemon)
        echo "${left:-nothing}"
        ;;
    rows) sql -c "SELECT count(*) FROM lekhika.workflow_executions" ;;
    *) echo "unknown word $1" >&2; exit 2 ;;
esac

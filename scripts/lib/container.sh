# A Debian with a systemd of its own, in a container of systemd-nspawn. Sourced by scripts/test-deb; wants root.

container_cache=${LEKHIKA_TEST_DEB_CACHE:-/var/cache/lekhika-test-deb}
container_packages=systemd,systemd-sysv,dbus,postgresql,nginx-light,curl,openssl,ca-certificates,libssl3,libstdc++6,iproute2,procps,passwd
container_nspawn=
container_mounted=

# Why no container can be had here; silent if one can.
container_obstacle() {
    [ "$(id -u)" = 0 ] || { echo "it is not run as root"; return; }
    [ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] || { echo "this is no Debian for amd64"; return; }
    local program
    for program in debootstrap systemd-nspawn nsenter; do command -v "$program" >/dev/null || { echo "$program is not installed"; return; }; done
    unshare --mount --pid --fork true 2>/dev/null || { echo "this kernel or container allows no namespaces"; return; }
}

# The plain system, made once and kept.
container_base() {
    local base=$container_cache/bookworm
    if [ ! -e "$base/.complete" ]; then
        rm -rf "$base"
        mkdir -p "$container_cache"
        debootstrap --variant=minbase --include="$container_packages" bookworm "$base" "${LEKHIKA_TEST_DEB_MIRROR:-http://deb.debian.org/debian}" >"$container_cache/debootstrap.log" 2>&1 \
            || { tail -n 5 "$container_cache/debootstrap.log" >&2; return 1; }
        # A start of a container need not wait for hardware, terminals and timers.
        ln -sf /dev/null "$base/etc/systemd/system/systemd-networkd-wait-online.service"
        ln -sf /dev/null "$base/etc/systemd/system/console-getty.service"
        ln -sf /dev/null "$base/etc/systemd/system/apt-daily.timer"
        ln -sf /dev/null "$base/etc/systemd/system/apt-daily-upgrade.timer"
        touch "$base/.complete"
    fi
    echo "$base"
}

# container_open DIRECTORY: DIRECTORY/root becomes a system of its own, whose changes go to DIRECTORY.
container_open() {
    local base
    base=$(container_base) || return 1
    mkdir -p "$1/root" "$1/upper" "$1/work"
    container_root=$1/root
    # A file system of its own beneath: overlays do not stack on everything.
    mount -t tmpfs -o size=3g tmpfs "$1/upper" && mkdir "$1/upper/data" "$1/upper/work" || return 1
    container_mounted=$1
    mount -t overlay overlay -o "lowerdir=$base,upperdir=$1/upper/data,workdir=$1/upper/work" "$container_root"
}

# container_boot [NSPAWN-OPTION...]: starts it and waits until its systemd is up.
container_boot() {
    systemd-nspawn --quiet --directory="$container_root" --boot --private-network --register=no --keep-unit --console=pipe --machine=lekhika-test-deb \
        --kill-signal=SIGRTMIN+3 "$@" </dev/null >"$container_root.console" 2>&1 &
    container_nspawn=$!
    container_wait 60
}

# container_ended SECONDS: waits until it is off. A reboot ends nspawn too, which --keep-unit leaves to the caller to start again.
container_ended() {
    local left=$(($1 * 5))
    while kill -0 "$container_nspawn" 2>/dev/null && [ "$left" -gt 0 ]; do
        sleep 0.2
        left=$((left - 1))
    done
}

# Its first process, which is another after a reboot.
container_leader() { pgrep -P "$container_nspawn" -x systemd | head -n 1; }

container_wait() {
    local left=$(($1 * 5)) state
    while [ "$left" -gt 0 ]; do
        state=$(within systemctl is-system-running 2>/dev/null || true)
        case $state in running | degraded) return 0 ;; esac
        kill -0 "$container_nspawn" 2>/dev/null || { echo "the container ended" >&2; return 1; }
        sleep 0.2
        left=$((left - 1))
    done
    echo "the container is not up after $1 s ($state)" >&2
    return 1
}

# within COMMAND...: runs it inside, as root.
within() {
    local leader
    leader=$(container_leader)
    [ -n "$leader" ] || return 1
    timeout --kill-after=5 "${container_patience:-120}" nsenter --target "$leader" --mount --uts --ipc --net --pid --cgroup --root --wd -- \
        env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 "$@"
}

container_close() {
    if [ -n "$container_nspawn" ] && kill -0 "$container_nspawn" 2>/dev/null; then
        kill -TERM "$container_nspawn" 2>/dev/null
        local left=100
        while [ "$left" -gt 0 ] && kill -0 "$container_nspawn" 2>/dev/null; do
            sleep 0.1
            left=$((left - 1))
        done
        kill -KILL "$container_nspawn" 2>/dev/null
    fi
    if [ -n "$container_mounted" ]; then
        umount -l "$container_root" 2>/dev/null
        umount -l "$container_mounted/upper" 2>/dev/null
    fi
}

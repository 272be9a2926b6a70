# Installs what a clean Debian 12 or Ubuntu lacks. Sourced by the scripts; each function does nothing where the thing is there already.

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else echo "this needs root, and there is no sudo; run it as root once, then come back: $*" >&2; return 1; fi
}

apt_install() {
    if ! command -v apt-get >/dev/null; then
        echo "missing, and there is no apt-get here to install them: $* (these are Debian's names of the packages)" >&2
        return 1
    fi
    echo "installing: $*"
    if [ -z "${APT_IS_UPDATED:-}" ]; then
        as_root apt-get update -qq </dev/null || true
        export APT_IS_UPDATED=1
    fi
    # confold: need_postgres writes a configuration file before its package comes with the same one.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" </dev/null >/dev/null
}

has_sdk() { "$1" --list-sdks 2>/dev/null | grep -q '^10\.'; }

# The .NET 10 SDK that global.json asks for: from PATH, from ~/.dotnet, from the distribution's packages, else by its own installer.
need_dotnet() {
    export HOME=${HOME:-/root}
    export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
    # No build process outlives the script that started it.
    export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0
    # The SDK would not start at all on a machine without ICU, which it needs for nothing here.
    ls /usr/lib/*/libicuuc.so.* >/dev/null 2>&1 || export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
    if command -v dotnet >/dev/null && has_sdk dotnet; then return; fi
    local home=$HOME/.dotnet
    if [ ! -x "$home/dotnet" ] || ! has_sdk "$home/dotnet"; then
        need_curl
        if apt-cache show dotnet-sdk-10.0 >/dev/null 2>&1 && apt_install dotnet-sdk-10.0 && has_sdk dotnet; then return; fi
        echo "installing: the .NET 10 SDK, into $home"
        local installer
        installer=$(mktemp)
        if ! curl -fsSL --retry 3 https://dot.net/v1/dotnet-install.sh -o "$installer" || ! bash "$installer" --channel 10.0 --install-dir "$home" >/dev/null; then
            rm -f "$installer"
            echo "the .NET 10 SDK is missing and could not be installed: see https://learn.microsoft.com/dotnet/core/install/linux" >&2
            return 1
        fi
        rm -f "$installer"
    fi
    export PATH="$home:$PATH" DOTNET_ROOT="$home"
}

# Also what makes https work for the package restore.
need_curl() {
    local missing=()
    command -v curl >/dev/null || missing+=(curl)
    [ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
    [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"
}

# What the native compiler links with.
need_native_toolchain() {
    local missing=()
    command -v gcc >/dev/null || command -v clang >/dev/null || missing+=(gcc libc6-dev)
    [ -e /usr/include/zlib.h ] || missing+=(zlib1g-dev)
    [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"
}

# A browser for the tests of the dashboard, which are skipped where it cannot be had.
need_chromium() {
    local browser
    for browser in chromium chromium-browser google-chrome; do
        if [ -x "/usr/bin/$browser" ]; then return; fi
    done
    apt_install chromium fonts-noto-core
}

# The checker of metrics and alert rules: its program alone, into artifacts/tools; the package would bring a server that starts by itself.
need_promtool() {
    PATH=$PATH:$PWD/artifacts/tools
    if command -v promtool >/dev/null; then return; fi
    local folder
    folder=$(mktemp -d)
    chmod 755 "$folder"
    if (cd "$folder" && apt-get download -qq prometheus >/dev/null 2>&1 && dpkg-deb -x prometheus_*.deb .) && [ -x "$folder/usr/bin/promtool" ]; then
        mkdir -p artifacts/tools
        cp "$folder/usr/bin/promtool" artifacts/tools/
    fi
    rm -rf "$folder"
    command -v promtool >/dev/null
}

# A pooler for the tests that go through one, which are skipped where it cannot be had. Its package starts a service, which nobody asked for.
need_pgbouncer() {
    if [ -x /usr/sbin/pgbouncer ] || [ -x /usr/bin/pgbouncer ]; then return; fi
    apt_install pgbouncer || return 1
    if [ -d /run/systemd/system ]; then as_root systemctl disable --now pgbouncer 2>/dev/null || true; fi
}

# The model checker and the compiler it needs.
need_spin() {
    local missing=()
    command -v spin >/dev/null || missing+=(spin)
    command -v gcc >/dev/null || missing+=(gcc libc6-dev)
    [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"
}

# The server's programs; no cluster of the system is made, started or touched.
need_postgres() {
    if pg_bin >/dev/null; then return; fi
    # Debian's package would make and start a cluster on port 5432, so it is told not to while it is installed.
    local setting=/etc/postgresql-common/createcluster.conf ours= theirs
    if [ ! -e "$setting" ]; then
        ours=yes
        as_root mkdir -p "${setting%/*}"
        echo "create_main_cluster = false" | as_root tee "$setting" >/dev/null
    fi
    local status=0
    apt_install postgresql || status=$?
    # The package's own file, as if ours had never been there.
    if [ -n "$ours" ]; then
        as_root rm -f "$setting"
        for theirs in "$setting".ucf-dist "$setting".dpkg-dist; do
            if [ -e "$theirs" ]; then as_root mv -f "$theirs" "$setting"; fi
        done
    fi
    [ "$status" = 0 ] || return "$status"
    pg_bin >/dev/null || { echo "the package postgresql is installed, but no initdb was found under /usr/lib/postgresql" >&2; return 1; }
}

# The folder of initdb, pg_ctl and psql, newest version first.
pg_bin() {
    local folder
    while read -r folder; do
        if [ -x "$folder/initdb" ] && [ -x "$folder/psql" ]; then echo "$folder"; return; fi
    done < <(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV)
    folder=$(command -v pg_ctl) || return 1
    folder=$(dirname "$(readlink -f "$folder")")
    [ -x "$folder/initdb" ] && echo "$folder"
}

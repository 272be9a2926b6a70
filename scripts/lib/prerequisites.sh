# Installs what a clean Debian 12 or Ubuntu lacks. Sourced by the scripts; each function does nothing where the thing is there already.

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else echo "this needs root: $*" >&2; return 1; fi
}

apt_install() {
    echo "installing: $*"
    if [ -z "${LEKHIKA_APT_UPDATED:-}" ]; then
        as_root apt-get update -qq || true
        export LEKHIKA_APT_UPDATED=1
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# The .NET SDK: from PATH, from ~/.dotnet, from the distribution's packages, else by its own installer.
need_dotnet() {
    export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
    if [ -x "$HOME/.dotnet/dotnet" ] && ! command -v dotnet >/dev/null; then
        export PATH="$HOME/.dotnet:$PATH" DOTNET_ROOT="$HOME/.dotnet"
    fi
    if command -v dotnet >/dev/null && dotnet --list-sdks 2>/dev/null | grep -q '^1[0-9]\.'; then return; fi
    if apt_install dotnet-sdk-10.0 2>/dev/null && command -v dotnet >/dev/null; then return; fi
    echo "installing the .NET 10 SDK into ~/.dotnet"
    command -v curl >/dev/null || apt_install curl ca-certificates
    local installer
    installer=$(mktemp)
    if ! curl -fsSL https://dot.net/v1/dotnet-install.sh -o "$installer" || ! bash "$installer" --channel 10.0 --install-dir "$HOME/.dotnet"; then
        echo "the .NET 10 SDK is missing and could not be installed: see https://learn.microsoft.com/dotnet/core/install/linux" >&2
        return 1
    fi
    rm -f "$installer"
    export PATH="$HOME/.dotnet:$PATH" DOTNET_ROOT="$HOME/.dotnet"
}

# What the native compiler links with.
need_native_toolchain() {
    local missing=()
    command -v gcc >/dev/null || command -v clang >/dev/null || missing+=(gcc libc6-dev)
    [ -e /usr/include/zlib.h ] || missing+=(zlib1g-dev)
    [ ${#missing[@]} -eq 0 ] || apt_install "${missing[@]}"
}

# The server's programs; no cluster of the system is started or touched.
need_postgres() {
    if ! pg_bin >/dev/null; then
        # Debian's package would create and start a cluster of its own on port 5432.
        as_root mkdir -p /etc/postgresql-common
        [ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
        apt_install postgresql
    fi
}

# The folder of initdb and pg_ctl, newest version first.
pg_bin() {
    local folder
    for folder in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV); do
        [ -x "$folder/initdb" ] && { echo "$folder"; return; }
    done
    command -v initdb >/dev/null && dirname "$(command -v initdb)"
}

# What was built, and whether it is up to date. Sourced from the root of the repository.

binary=artifacts/lekhika-daemon
double=tests/Lekhika.OllamaDouble/bin/Debug/net10.0/ollama-double.dll
shared_sources=(Directory.Build.props Directory.Packages.props global.json BannedSymbols.txt .editorconfig)

# is_current FILE SOURCE...: whether it is there, and newer than everything it is made of.
is_current() {
    local file=$1 newer
    shift
    [ -e "$file" ] || return 1
    newer=$(find "$@" "${shared_sources[@]}" \( -name bin -o -name obj \) -prune -o -newer "$file" -type f -print -quit)
    [ -z "$newer" ]
}

binary_is_current() { is_current "$binary" src scripts/publish; }
double_is_current() { is_current "$double" tests/Lekhika.OllamaDouble tests/Directory.Build.props; }

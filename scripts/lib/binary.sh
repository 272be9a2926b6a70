# The published binary. Sourced from the root of the repository.

binary=artifacts/lekhika-daemon

# Whether the binary is newer than everything it is made of.
binary_is_current() {
    [ -x "$binary" ] || return 1
    local newer
    newer=$(find src Directory.Build.props Directory.Packages.props global.json BannedSymbols.txt .editorconfig scripts/publish \
        \( -name bin -o -name obj \) -prune -o -newer "$binary" -type f -print -quit)
    [ -z "$newer" ]
}

# bash completion for lekhika-daemon; the program itself knows its commands and options.
_lekhika_daemon() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]:-}
    COMPREPLY=()
    case $previous in
        --config | --caller-secret-file | --secret-file | --inputs | --out)
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            compopt -o filenames 2>/dev/null
            return
            ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$(lekhika-daemon "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)" -- "$current")
    # Where no word fits, a file may.
    if [ ${#COMPREPLY[@]} -eq 0 ]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        compopt -o filenames 2>/dev/null
    fi
}
complete -F _lekhika_daemon lekhika-daemon

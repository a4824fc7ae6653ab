# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion of weft-ofctl's commands and options (asked of the program itself), bridges and files.
_weft_ofctl() {
    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} rundir=${WEFT_RUNDIR:-/run/weft} i list=
    for ((i = 1; i < COMP_CWORD; i++)); do
        [ "${COMP_WORDS[i]}" != --rundir ] || rundir=${COMP_WORDS[i + 1]}
    done
    case $word in
    -*) list=$(weft-ofctl --help | grep -oE -- '--[a-z-]+' | sort -u) ;;
    *)
        if weft-ofctl --help | grep -qE "^  $previous +(SWITCH|SOURCE1)"; then
            for i in "$rundir"/*.mgmt; do [ ! -S "$i" ] || list+=" $(basename "$i" .mgmt)"; done
        elif ! weft-ofctl --help | awk '/^  [a-z]/ {print $1}' | grep -qxFf - <(printf '%s\n' "${COMP_WORDS[@]:1:COMP_CWORD-1}"); then
            list=$(weft-ofctl --help | awk '/^  [a-z]/ {print $1}')
        fi
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$list" -- "$word")
}
complete -o default -F _weft_ofctl weft-ofctl

# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion of weft: commands and options, asked of the program itself; names of tenants' objects, hosts and interfaces,
# asked of the store and the switch that the line names.

# _weft_ask WORD...: weft with the options that say which switch and store are meant; never long.
_weft_ask() {
    local i
    local -a where=()
    for ((i = 1; i + 1 < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --rundir | --store | --cert | --key | --ca) where+=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}") ;;
        esac
    done
    "${COMP_WORDS[0]}" "${where[@]}" --timeout 2 "$@" 2>/dev/null
}

_weft_names() { # _weft_names KIND [TENANT]: T/N, or N alone of hosts and tenants, or of those of TENANT
    case $1 in
    host | tenant) _weft_ask "$1" list | awk 'NR > 1 {print $1}' ;;
    *) _weft_ask "$1" list | awk -v t="${2:-}" 'NR > 1 && t == "" {print $1 "/" $2} NR > 1 && t == $1 {print $2}' ;;
    esac
}

# What may stand at the place after the command's words $1: kinds of names, or words.
_weft_argument() { # _weft_argument COMMAND PLACE TENANT
    case $1:$2 in
    "if show:0" | "if set:0" | "if del:0" | "fdb flush:0") _weft_ask if list | awk 'NR > 1 {print $1}' ;;
    "ct list:0" | "ct list:1") echo zone= limit= ;;
    "ct flush:0") echo zone= ;;
    trace:0 | wait:0) _weft_names port ;;
    show:0 | watch:0 | export:0) _weft_names tenant ;;
    "router attach:1" | "router detach:1") _weft_names network "$3" ;;
    "router route:0" | "sg rule:0") echo add del ;;
    "router route:1") _weft_names router ;;
    "router route:3") echo via ;;
    "sg rule:1") _weft_names sg ;;
    "sg rule:2") echo in out ;;
    "sg rule:"*) echo proto ports from to tcp udp icmp icmpv6 any ;;
    *" add:0" | *" list:0") ;;
    "host "*:0 | "tenant "*:0 | "network "*:0 | "router "*:0 | "sg "*:0 | "port "*:0) _weft_names "${1%% *}" ;;
    esac
}

_weft_value() { # _weft_value OPTION TENANT: what it takes; false: it takes nothing
    case $1 in
    --host) _weft_names host ;;
    --prune) _weft_names tenant ;;
    --network) _weft_names network "$2" ;;
    --sg) _weft_names sg "$2" ;;
    -o | --output) echo table json yaml ;;
    --ip | --mac | --vni) echo auto ;;
    --fail-mode) echo standalone secure ;;
    -f | --file | --rundir | --cert | --key | --ca | --socket | --store | --timeout | --wait | --subnet | --gateway | --dns | \
        --mtu | --vtep | --queues | --probe | --max-backoff | --packet-in-rate) ;;
    *) return 1 ;;
    esac
}

_weft() {
    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} help command='' tenant='' list='' i
    local -a words=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -*) ! _weft_value "${COMP_WORDS[i]}" >/dev/null || i=$((i + 1)) ;;
        *) words+=("${COMP_WORDS[i]}") ;;
        esac
    done
    help=$("${COMP_WORDS[0]}" --help | sed '/^Types/q' | grep -E '^  [a-z]')
    for i in "${words[0]:--}${words[1]:+ ${words[1]}}" "${words[0]:--}"; do
        [ -n "$command" ] || ! grep -qE "^  $i  +" <<<"$help" || command=$i
    done
    [[ $command != *' '* ]] || words=("${words[@]:1}")
    [ -z "$command" ] || words=("${words[@]:1}")
    [[ ${words[0]:-} != */* ]] || tenant=${words[0]%%/*}
    if list=$(_weft_value "$previous" "$tenant"); then
        :
    elif [[ $word == -* ]]; then
        list="--rundir --output --timeout --store --help $(grep -E "^  $command  +" <<<"$help" | grep -oE -- '--?[a-z-]+')"
    elif [ -n "$command" ]; then
        list=$(_weft_argument "$command" ${#words[@]} "$tenant")
    elif [ ${#words[@]} -eq 1 ]; then
        list=$(awk -v first="${words[0]}" '$1 == first {print $2}' <<<"$help")
    else
        list=$(awk '{print $1}' <<<"$help" | sort -u)
    fi
    mapfile -t COMPREPLY < <(compgen -W "$list" -- "$word")
}
complete -o default -F _weft weft

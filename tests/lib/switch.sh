# shellcheck shell=bash
# weftd for shell tests; comes after base.sh. A switch has a name; its rundir is $WORK/NAME, its log $WORK/NAME.log.

declare -A SWITCH_PID=()

# switch_start NAME [NETNS] [OPTION...]: returns when it answers. NETNS '' is the one we are in.
switch_start() {
    local name=$1 ns=${2:-}
    local -a in=()
    shift
    [ $# -eq 0 ] || shift
    need_built weftd weft weft-ofctl
    [ -z "$ns" ] || in=(ip netns exec "$ns")
    mkdir -p "$WORK/$name"
    "${in[@]}" "$BUILD/weftd" --rundir "$WORK/$name" --state "$WORK/$name/interfaces.json" "$@" \
        </dev/null >>"$WORK/$name.log" 2>&1 &
    SWITCH_PID[$name]=$!
    if [ ! -e "$WORK/$name.seen" ]; then
        touch "$WORK/$name.seen"
        at_exit switch_stop "$name"
        at_failure switch_explain "$name"
    fi
    wait_until 60 switch_answers "$name" || fail "weftd $name does not answer"
}

switch_answers() {
    kill -0 "${SWITCH_PID[$1]}" 2>/dev/null || return 1
    "$BUILD/weft" --rundir "$WORK/$1" if list
}

# switch_stop NAME [SIGNAL]: ends it and waits. An end by SIGTERM must be clean, else it returns 1 (the end of the test too:
# a sanitizer's complaint shows there).
switch_stop() {
    local pid=${SWITCH_PID[$1]:-} i status=0
    [ -n "$pid" ] || return 0
    unset "SWITCH_PID[$1]"
    kill "-${2:-TERM}" "$pid" 2>/dev/null || true
    for ((i = 0; i < 400; i++)); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    kill -KILL "$pid" 2>/dev/null && say "weftd $1 had to be killed"
    { wait "$pid" || status=$?; } 2>/dev/null
    [ "${2:-TERM}" != TERM ] || [ $status -eq 0 ] || {
        say "weftd $1 ended with status $status"
        return 1
    }
}

switch_explain() {
    {
        echo "---- weftd $1: log"
        tail -n 30 "$WORK/$1.log"
        echo "---- weftd $1: interfaces, drops, flows"
        weft "$1" if list
        weft "$1" stats
        weft "$1" drops
        ofctl "$1" dump-flows br0
    } 2>&1
}

weft() { "$BUILD/weft" --rundir "$WORK/$1" "${@:2}"; }      # weft SWITCH ARGS...
ofctl() { "$BUILD/weft-ofctl" --rundir "$WORK/$1" "${@:2}"; } # ofctl SWITCH ARGS...

# if_up SWITCH INTERFACE: whether its guest or carrier is there.
if_up() { "$BUILD/weft" --rundir "$WORK/$1" -o json if show "$2" | grep -q '"up": *true'; }

if_down() { ! if_up "$1" "$2"; }

# if_stat SWITCH INTERFACE COUNTER: one number of `weft stats`; a drop reason works too (0 when it never came).
if_stat() {
    "$BUILD/weft" --rundir "$WORK/$1" -o json stats | python3 -c '
import json, sys
name, key = sys.argv[1:]
for p in json.load(sys.stdin):
    if p["name"] == name:
        print(p[key] if key in p else p["drops"].get(key, 0))' "$2" "$3"
}

drops_of() { # drops_of SWITCH REASON: over all ports
    "$BUILD/weft" --rundir "$WORK/$1" -o json drops | python3 -c '
import json, sys
print(sum(d["packets"] for d in json.load(sys.stdin) if d["reason"] == sys.argv[1]))' "$2"
}

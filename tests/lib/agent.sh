# shellcheck shell=bash
# weft-agent for shell tests; comes after switch.sh. It keeps the switch of the same name; its log is $WORK/NAME.agent.log.

declare -A AGENT_PID=()

# agent_start SWITCH HOST [OPTION...]: returns when it answers commands.
agent_start() {
    local name=$1 host=$2
    shift 2
    need_built weft-agent
    "$BUILD/weft-agent" --rundir "$WORK/$name" --host "$host" "$@" </dev/null >>"$WORK/$name.agent.log" 2>&1 &
    AGENT_PID[$name]=$!
    if [ ! -e "$WORK/$name.agent.seen" ]; then
        touch "$WORK/$name.agent.seen"
        at_exit agent_stop "$name"
        at_failure tail -n 30 "$WORK/$name.agent.log"
    fi
    wait_until 20 weft "$name" host list || fail "weft-agent $name does not answer"
}

# agent_stop SWITCH [SIGNAL]
agent_stop() {
    local pid=${AGENT_PID[$1]:-} status=0
    [ -n "$pid" ] || return 0
    unset "AGENT_PID[$1]"
    kill "-${2:-TERM}" "$pid" 2>/dev/null || true
    { wait "$pid" || status=$?; } 2>/dev/null
    [ "${2:-TERM}" != TERM ] || [ $status -eq 0 ] || {
        say "weft-agent $1 ended with status $status"
        return 1
    }
}

# agent_flows SWITCH: the agent's flows, sorted, without counters.
agent_flows() {
    ofctl "$1" --no-stats dump-flows br0 cookie=0x5765667400000000/0xffffffff00000000 | sort
}

# shellcheck shell=bash
# weft-agent for shell tests; comes after switch.sh. It keeps the switch of the same name; its log is $WORK/NAME.agent.log.

declare -A AGENT_PID=()

# agent_run SWITCH HOST NETNS [OPTION...]: starts it; NETNS '' is the one we are in.
agent_run() {
    local name=$1 host=$2
    local -a in=()
    [ -z "$3" ] || in=(ip netns exec "$3")
    shift 3
    need_built weft-agent
    "${in[@]}" "$BUILD/weft-agent" --rundir "$WORK/$name" --host "$host" "$@" </dev/null >>"$WORK/$name.agent.log" 2>&1 &
    AGENT_PID[$name]=$!
    if [ ! -e "$WORK/$name.agent.seen" ]; then
        touch "$WORK/$name.agent.seen"
        at_exit agent_stop "$name"
        at_failure tail -n 30 "$WORK/$name.agent.log"
    fi
}

# agent_start SWITCH HOST [OPTION...]: with a store of its own; returns when it answers commands.
agent_start() {
    agent_run "$1" "$2" '' "${@:3}"
    wait_until 20 weft "$1" host list || fail "weft-agent $1 does not answer"
}

# agent_on_etcd SWITCH HOST NETNS USER [OPTION...]: on the cluster of etcd.sh; returns when the cluster knows that it lives.
agent_on_etcd() {
    # shellcheck disable=SC2046 # several words
    agent_run "$1" "$2" "$3" $(etcd_options "$4") "${@:5}"
    wait_until 60 agent_lives "$2" || fail "weft-agent $1 does not reach etcd"
}
# agent_lives HOST, agent_is_gone HOST: as etcd says; neither when it does not answer.
agent_lives() { [ -n "$(etcd_ctl get "/weft/v1/live/$1" --keys-only)" ]; }
agent_is_gone() {
    local key
    key=$(etcd_ctl get "/weft/v1/live/$1" --keys-only) && [ -z "$key" ]
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

# tenant_guest GUEST SWITCH TENANT/PORT MAC [OPTION of weft-vm start...]: a guest on that port, addresses by DHCP; needs
# guest.sh. Weft listens on the port's socket.
tenant_guest() {
    local socket=$WORK/$2/ports/${3/\//.}.sock
    wait_until 60 test -S "$socket" || fail "no socket for port $3 on $2"
    "$VM" start "$1" --socket "$socket" --role client --mac "$4" --ip dhcp --mem 128 "${@:5}"
    at_exit "$VM" stop "$1"
    at_failure guest_explain "$1"
}

# tenant_move GUEST NEW FROM TO TENANT/PORT MAC COMMAND...: live migration of GUEST from host FROM to TO, where it is called
# NEW; COMMAND is weft on the store. Sets MOVED to what QEMU tells of it.
tenant_move() {
    local guest=$1 new=$2 from=$3 to=$4 port=$5 mac=$6
    shift 6
    "$@" port bind "$port" --host "$to" --wait 30s >/dev/null || fail "$to does not carry $port"
    tenant_guest "$new" "$to" "$port" "$mac" --incoming "unix:$WORK/$new.mig"
    wait_until 60 test -S "$WORK/$new.mig" || fail "the destination of $guest does not listen"
    # shellcheck disable=SC2034 # for the caller
    MOVED=$("$VM" migrate "$guest" "$new") || fail "$guest does not move"
    wait_until 60 port_is_at "$to" "$port" "$@" || fail "$to does not claim $port"
    "$@" --timeout 30 wait "$port" --up || fail "$port is not up on $to"
    "$VM" stop "$guest"
    "$@" port unbind "$port" --host "$from" --wait 30s >/dev/null || fail "$from does not let $port go"
}
port_is_at() { # port_is_at HOST TENANT/PORT COMMAND...: is it active there?
    "${@:3}" -o json port show "$2" | python3 -c '
import json, sys
host = json.load(sys.stdin)["host"]
sys.exit((host if isinstance(host, str) else host[0]) != sys.argv[1])' "$1"
}

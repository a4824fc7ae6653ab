#!/bin/bash
# One host with a hundred networks, with weftd and weft-agent as they run: how long does a port take that is added, until its
# flows are in the switch, and how much memory has the agent with and without foreign networks?
#
# Time: from the request that writes the port (add_ports.py) until the agent says that its switch has the flows; the flows are
# then looked for. Memory: RSS of an agent that has just started and has all its flows, on the embedded store and on etcd,
# with no foreign networks and with ten times as many as its own. Fails when the 99th percentile is above 100 ms, or foreign
# networks add more than a tenth to the agent on etcd. --quick: a few ports on ten networks, no verdict on time.
# shellcheck source=tests/lib/base.sh
. "$(dirname "$0")/../../lib/base.sh"
. "$ROOT/tests/lib/switch.sh"
. "$ROOT/tests/lib/agent.sh"
. "$ROOT/tests/lib/hosts.sh"
. "$ROOT/tests/lib/etcd.sh"
need_root
need python3 etcd etcdctl

TENANTS=20 PORTS=20 ADDS=100
[ "${1:-}" != --quick ] || TENANTS=2 PORTS=5 ADDS=5
NETWORKS=$((TENANTS * 5))
FOREIGN=$((NETWORKS * 10))

host_new h1
address h1 lo 10.99.0.1/32
in_h1() { ip netns exec "$NS-h1" "$@"; }
document() { python3 "$ROOT/tests/bench/tenants/document.py" "$TENANTS" "$PORTS" "$@"; }

# ---- how long a port takes ----

keep_store() { # keep_store FROM TO: of an agent that does not run
    rm -f "$2"/tenants.db*
    cp "$1"/tenants.db* "$2"
}
extra_ports() {
    local t i
    echo "{apiVersion: weft/v1, tenants: {"
    for ((t = 0; t < TENANTS; t++)); do
        echo "  t$t: {ports: {"
        for ((i = t; i < ADDS; i += TENANTS)); do
            echo "    x$i: {network: n0, host: h1, ips: [10.0.200.$((i + 1))], mac: '02:00:00:00:01:$(printf %02x $i)'},"
        done
        echo "  }},"
    done
    echo "}}"
}

# cpu PID: ms of all its threads so far; a worker without packets naps.
cpu() { awk '{print ($14 + $15) * 10}' "/proc/$1/stat"; }

switch_start sw "$NS-h1"
agent_start sw h1
document >"$WORK/own.yaml"
weft sw --timeout 60 apply -f "$WORK/own.yaml" >/dev/null
weft sw --timeout 60 store export >"$WORK/before.json"
agent_stop sw
mkdir "$WORK/kept"
keep_store "$WORK/sw" "$WORK/kept"
agent_start sw h1
extra_ports >"$WORK/extra.yaml"
weft sw --timeout 60 apply -f "$WORK/extra.yaml" >/dev/null
weft sw --timeout 60 store export >"$WORK/after.json"
agent_stop sw
keep_store "$WORK/kept" "$WORK/sw"
agent_start sw h1
weft sw --timeout 60 port add t0/first --network n0 --host h1 --wait 60s >/dev/null
say "$NETWORKS networks of $PORTS ports, $(agent_flows sw | wc -l) flows"
agent=$(cpu "${AGENT_PID[sw]}") weftd=$(cpu "${SWITCH_PID[sw]}")
python3 "$ROOT/tests/bench/tenants/add_ports.py" "$WORK/sw/agent.sock" h1 "$WORK/before.json" "$WORK/after.json" >"$WORK/times"
agent=$(($(cpu "${AGENT_PID[sw]}") - agent)) weftd=$(($(cpu "${SWITCH_PID[sw]}") - weftd))
[ "$(wc -l <"$WORK/times")" -eq $ADDS ] || fail "$(wc -l <"$WORK/times") ports were added"
n=$(agent_flows sw | grep -c 'table=54.*nw_dst=10\.0\.200\.' || true)
[ "$n" -eq $ADDS ] || fail "flows of $n ports are there"
sort -n "$WORK/times" | awk -v p99="$WORK/p99" '{t[NR] = $1} END {
    printf "a port: p50 %.1f ms, p99 %.1f ms, longest %.1f ms of %d\n", t[int((NR + 1) / 2)], t[int(NR * 0.99 + 0.5)], t[NR], NR
    print t[int(NR * 0.99 + 0.5)] > p99}'
echo "CPU time of each: agent $((agent / ADDS)) ms, weftd $((weftd / ADDS)) ms"

# ---- memory ----

rss() { awk '/^VmRSS/ {printf "%.1f\n", $2 / 1024}' "/proc/${AGENT_PID[sw]}/status"; }
embedded() { # embedded DOCUMENT: sets RSS to that of an agent whose store has that, in MB
    agent_stop sw
    rm -f "$WORK"/sw/tenants.db*
    agent_start sw h1
    weft sw --timeout 60 apply -f "$1" >/dev/null
    agent_stop sw
    agent_start sw h1
    weft sw --timeout 60 port add t0/last --network n0 --host h1 --wait 60s >/dev/null
    RSS=$(rss)
}
distributed() { # the same of an agent on etcd
    read -ra root <<<"$(etcd_options root)"
    etcd_ctl del --prefix /weft/v1/ >/dev/null
    in_h1 "$BUILD/weft" --timeout 60 "${root[@]}" apply -f "$1" >/dev/null
    rm -f "$WORK/sw/agent.json"
    agent_on_etcd sw h1 "$NS-h1" root
    in_h1 "$BUILD/weft" --timeout 60 "${root[@]}" port add t0/last --network n0 --host h1 --wait 60s >/dev/null
    RSS=$(rss)
    agent_stop sw
}

document "$FOREIGN" >"$WORK/foreign.yaml"
embedded "$WORK/own.yaml"
a=$RSS
embedded "$WORK/foreign.yaml"
b=$RSS
agent_stop sw
etcd_start 1 "$NS-h1" 10.99.0.1
distributed "$WORK/own.yaml"
c=$RSS
distributed "$WORK/foreign.yaml"
d=$RSS
printf 'agent with %d networks, MB: embedded store %s, with %d foreign networks %s; on etcd %s, with them %s\n' \
    "$NETWORKS" "$a" "$FOREIGN" "$b" "$c" "$d"
awk -v c="$c" -v d="$d" 'BEGIN {exit d > 1.1 * c + 1}' || fail "foreign networks add to an agent on etcd"
[ $ADDS -lt 50 ] || awk '{exit $1 > 100}' "$WORK/p99" || fail "a port takes more than 100 ms"

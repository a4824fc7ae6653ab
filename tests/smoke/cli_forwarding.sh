#!/bin/bash
# What weft shows of traffic, between two namespaces joined by taps of a weftd; and ovs-ofctl on its socket.
#
#     [ns a] tap ---- weftd br0 ---- tap [ns b]
#     192.0.2.1                      192.0.2.2
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${BUILD:-$PWD/build/release}
if [ "$(id -u)" -ne 0 ] || [ ! -c /dev/net/tun ]; then
    echo "needs root and /dev/net/tun"
    exit 77
fi
command -v ovs-ofctl >/dev/null || { echo "needs ovs-ofctl"; exit 77; }
work=$(mktemp -d)
a=cfa$$ b=cfb$$
pid=

finish() {
    local rc=$?
    if [ -n "$pid" ]; then
        kill -TERM "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    fi
    ip netns del "$a" 2>/dev/null || true
    ip netns del "$b" 2>/dev/null || true
    [ "$rc" -eq 0 ] || cat "$work/log"
    rm -rf "$work"
}
trap finish EXIT
fail() {
    echo "$*"
    exit 1
}
weft() { "$build/weft" --rundir "$work/run" "$@"; }
ofctl() { OVS_RUNDIR=$work/run ovs-ofctl -O OpenFlow13 "$@"; }
# sum KEY: of all interfaces.
sum() { weft -o json stats | python3 -c "import json, sys; print(sum(i['$1'] for i in json.load(sys.stdin)))"; }

"$build/weftd" --rundir "$work/run" >"$work/log" 2>&1 &
pid=$!
for _ in $(seq 300); do
    weft version >/dev/null 2>&1 && break
    kill -0 "$pid" 2>/dev/null || fail "weftd ended"
    sleep 0.1
done

weft if add ta type=tap "dev=$a" ofport=1
weft if add tb type=tap "dev=$b" ofport=2
n=1
for ns in "$a" "$b"; do
    ip netns add "$ns"
    ip link set "$ns" netns "$ns"
    ip -n "$ns" address add "192.0.2.$n/24" dev "$ns"
    ip -n "$ns" link set "$ns" up
    n=$((n + 1))
done

ip netns exec "$a" ping -q -c 3 -i 0.2 -W 2 192.0.2.2 || fail "no ping"
for ns in "$a" "$b"; do
    mac=$(ip netns exec "$ns" cat "/sys/class/net/$ns/address")
    weft fdb show | grep -qF "$mac" || fail "fdb show: no $mac: $(weft fdb show)"
done
[ "$(sum rx_packets)" -ge 6 ] || fail "stats: $(weft stats)"
[ "$(sum tx_packets)" -ge 6 ] || fail "stats: $(weft stats)"
ip -n "$a" link set "$a" down # so that nothing is learned again
weft fdb flush ta >/dev/null
weft fdb show | grep -qw "ta" && fail "fdb flush: $(weft fdb show)"
ip -n "$a" link set "$a" up

ofctl show br0 >"$work/show"
for port in '1(ta)' '2(tb)' 'LOCAL(br0)'; do
    grep -qF "$port" "$work/show" || fail "ovs-ofctl show: no $port: $(cat "$work/show")"
done
ofctl dump-flows br0 | grep -qF 'priority=0 actions=NORMAL' || fail "dump-flows: $(ofctl dump-flows br0)"

# A flow that drops: the ping ends, and the drop has a name.
ofctl add-flow br0 priority=9,icmp,actions=drop
ip netns exec "$a" ping -q -c 1 -W 1 192.0.2.2 && fail "ping in spite of a drop flow"
weft drops | tail -n +2 | grep -q . || fail "drops: nothing: $(weft drops)"
ofctl --strict del-flows br0 priority=9,icmp
ip netns exec "$a" ping -q -c 1 -W 2 192.0.2.2 || fail "no ping after the flow was removed"

# Deleted interfaces take their devices with them.
weft if del ta
[ "$(weft -o json if list | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))')" = 1 ] || fail "if del"
timeout 10 sh -c "while ip -n $a link show $a >/dev/null 2>&1; do sleep 0.1; done" || fail "if del left its tap behind"
